"""What goes wrong, in words for the user."""

import sys


class Problem(Exception):
    """What is wrong, naming thing and value, and the command to type next."""

    def __init__(self, text, hint=""):
        super().__init__(text)
        self.text = text
        self.hint = hint


def explain(who, error):
    """To standard error: what is wrong and, where that is known, what to type next."""
    if isinstance(error, Problem):
        text, hint = error.text, error.hint
    elif isinstance(error, PermissionError):
        text, hint = f"{error.filename or error}: not allowed", "use sudo"
    elif isinstance(error, KeyboardInterrupt):
        text, hint = "interrupted", ""
    else:
        text, hint = str(error), ""
    print(f"{who}: {text}", file=sys.stderr)
    if hint:
        print(f"{' ' * len(who)}  next: {hint}", file=sys.stderr)
