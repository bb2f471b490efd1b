"""What goes wrong, in words for the user."""


class Problem(Exception):
    """What is wrong, naming thing and value, and the command to type next."""

    def __init__(self, text, hint=""):
        super().__init__(text)
        self.text = text
        self.hint = hint
