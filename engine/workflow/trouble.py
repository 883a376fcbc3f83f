"""What stops a token: becomes an incident where it happened, never an error of the command."""


class Trouble(Exception):
    """`code` is stable; `message` is Chinese, for the operator, and holds no value of the case."""

    def __init__(self, code: str, message: str):
        self.code, self.message = code, message
        super().__init__(message)
