#!/usr/bin/env python3
"""What iperf3 3.12 printed and what we print for the same numbers fit docs/output.schema.json.

check_schema.py TEST_REPORT: the program that renders the recordings (tests/unit/report).
"""

import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "support"))

try:
    import output_schema
except ImportError as missing:
    print(f"{missing}: skipped")
    sys.exit(77)


def check(texts):
    """Prints what does not fit; returns how many documents there were and how many of them do."""
    good = 0
    for name, text in texts.items():
        found = output_schema.complaints_about(text)
        good += not found
        for complaint in found:
            print(f"{name}: {complaint}")
    return len(texts), good


def spoiled(document):
    """Documents that the schema must refuse."""
    for path in (["end"], ["start", "version"], ["intervals", 0, "sum"], ["end", "sum_sent", "bytes"]):
        for change in ("without", "as text", "with more"):
            bad = copy.deepcopy(document)
            inner = bad
            for key in path[:-1]:
                inner = inner[key]
            if change == "without":
                del inner[path[-1]]
            elif change == "as text":
                inner[path[-1]] = [str(inner[path[-1]])]
            else:
                inner["no such key"] = 1
            yield f"{'.'.join(map(str, path))} {change}", json.dumps(bad)


def rendered(program):
    with tempfile.TemporaryDirectory() as folder:
        run = [program, "--gtest_filter=*Golden*:Room.*", "--gtest_brief=1"]
        subprocess.run(run, env={**os.environ, "TZ": "UTC", "KEEP_RENDERED": folder}, check=True)
        return {path.name: path.read_text() for path in pathlib.Path(folder).iterdir()}


def main():
    recorded = {str(path.relative_to(HERE)): path.read_text() for path in HERE.glob("*/*.out")}
    recorded = {name: text for name, text in recorded.items() if text.startswith("{")}
    ours = rendered(sys.argv[1])
    (many, good), (our_many, our_good) = check(recorded), check(ours)
    print(f"iperf3's: {good} of {many}, ours: {our_good} of {our_many}")
    taken = [
        name
        for name, text in spoiled(json.loads(recorded["tcp-normal-json/client.out"]))
        if not output_schema.complaints_about(text)
    ]
    print("\n".join(f"taken for good: {name}" for name in taken))
    streams = sum(text.startswith('{"event":') for text in ours.values())
    enough = many > 50 and our_many - streams >= many and streams > 50
    return 0 if enough and good == many and our_good == our_many and not taken else 1


if __name__ == "__main__":
    sys.exit(main())
