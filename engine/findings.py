"""What an examination of a procedure found: one shape for diagrams, tables, forms and expressions."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Finding:
    """One fault or remark. `element` is the id in the diagram, table or form; line and column count from 1 inside an expression."""

    code: str
    message: str
    message_en: str
    element: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    severity: str = "error"

    def as_dict(self) -> dict:
        """Plain JSON, for `shuibo lint` and the API."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def errors(findings) -> list[Finding]:
    """Only what refuses a deployment."""
    return [finding for finding in findings if finding.severity == "error"]
