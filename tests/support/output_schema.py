"""Validates what -J and --json-stream print, and what --save writes, against docs/output.schema.json."""

import json
import pathlib

import jsonschema

SCHEMA = json.loads((pathlib.Path(__file__).parents[2] / "docs" / "output.schema.json").read_text())
jsonschema.Draft202012Validator.check_schema(SCHEMA)
DOCUMENT = jsonschema.Draft202012Validator(SCHEMA)
# The same definitions, of which a line is one.
EVENT = jsonschema.Draft202012Validator({**SCHEMA["$defs"]["event"], "$defs": SCHEMA["$defs"]})
SAVED = jsonschema.Draft202012Validator({**SCHEMA["$defs"]["saved"], "$defs": SCHEMA["$defs"]})


def complaints(validator, text):
    return [f"{error.json_path}: {error.message:.300}" for error in validator.iter_errors(json.loads(text))]


def complaints_about(text):
    """Of a document of -J, of the lines of --json-stream, or of a file of --save."""
    if text.startswith('{"event":'):
        return [found for line in text.splitlines() for found in complaints(EVENT, line)]
    return complaints(SAVED if text.startswith('{\n\t"format":') else DOCUMENT, text)
