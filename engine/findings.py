"""What an examination of a procedure found: one shape for diagrams, tables, forms and expressions."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

MOST = 200  # of each severity in one report: a file of rubbish need not be described line by line
_LONGEST = {"message": 500, "message_en": 500, "element": 120, "file": 200}  # characters


@dataclass(frozen=True)
class Finding:
    """One fault or remark. `element` is the id in the diagram, table or form; line and column count from 1 inside an expression.

    Texts may quote what a file says, so they are cut where they are longer than anybody reads, and hold only what can be shown.
    """

    code: str
    message: str
    message_en: str
    element: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    severity: str = "error"

    def __post_init__(self):
        """Cut and clean."""
        for name, most in _LONGEST.items():
            text = getattr(self, name)
            if text is not None and (len(text) > most or not text.isprintable()):
                object.__setattr__(self, name, shown(text, most))

    def as_dict(self) -> dict:
        """Plain JSON, for `shuibo lint` and the API."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def shown(text: str, most: int) -> str:
    """`text`, at most that long, without what deceives readers or cannot be encoded; line ends become spaces."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return "".join(letter if letter.isprintable() else " " if letter.isspace() else "�" for letter in cut)


class Findings(list[Finding]):
    """A report being written. It holds MOST of each severity: what comes later is dropped, but a remark never takes a fault's place."""

    def __init__(self, found: Iterable[Finding] = ()):
        """`found`: what is known already."""
        super().__init__()
        self._room = {"error": MOST, "warning": MOST}
        self.extend(found)

    @property
    def full(self) -> bool:
        """Whether no more faults would be kept."""
        return not self._room["error"]

    def append(self, finding: Finding) -> None:
        """Add one if there is room."""
        if self._room[finding.severity]:
            self._room[finding.severity] -= 1
            super().append(finding)

    def extend(self, found: Iterable[Finding]) -> None:
        """Add several, as far as there is room."""
        for finding in found:
            self.append(finding)


def errors(findings) -> list[Finding]:
    """Only what refuses a deployment."""
    return [finding for finding in findings if finding.severity == "error"]
