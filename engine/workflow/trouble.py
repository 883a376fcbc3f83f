"""What stops a token: becomes an incident where it happened, never an error of the command."""

from collections.abc import Mapping
from typing import Any


class Trouble(Exception):
    """`code` is stable; `message` is Chinese, for the operator, and holds no value of the case."""

    def __init__(self, code: str, message: str):
        self.code, self.message = code, message
        super().__init__(message)


class BpmnError(Exception):
    """What a job's handler raises for an outcome that the diagram provides for: an error event with this code catches it."""

    def __init__(self, code: str, variables: Mapping[str, Any] | None = None):
        self.code, self.variables = code, dict(variables or {})
        super().__init__(code)
