"""Collects what an examination finds; begins with whether there is XML to examine."""

from lxml import etree

from engine import untrusted
from engine.findings import Finding, Findings
from engine.workflow.faults import FAULTS, WARNINGS

MAX_BYTES = 4 * 1024 * 1024
LONGEST_FACT = 200  # characters of what a message quotes from the file


class Report:
    """Findings in the order they were made, each once."""

    def __init__(self):
        """Empty."""
        self._findings = Findings()
        self._seen: set[Finding] = set()

    def add(self, code: str, element: str | None = None, *, line: int | None = None, column: int | None = None, **facts) -> None:
        """A fault or, for some codes, a remark. `facts` fill its message."""
        messages = [
            text.format(**{name: _brief(value[language] if isinstance(value, tuple) else value) for name, value in facts.items()})
            for language, text in enumerate(FAULTS[code])
        ]
        severity = "warning" if code in WARNINGS else "error"
        finding = Finding(code, *messages, element and element[:LONGEST_FACT], line=line, column=column, severity=severity)
        if finding not in self._seen:
            self._seen.add(finding)
            self._findings.append(finding)

    @property
    def findings(self) -> list[Finding]:
        """All of them."""
        return list(self._findings)

    @property
    def refused(self) -> bool:
        """Whether there is an error."""
        return any(finding.severity == "error" for finding in self._findings)


def read_xml(xml: bytes, report: Report) -> etree._Element | None:
    """The root element, without comments; None, with a finding, for anything but small, plain, well-formed XML."""
    try:
        return untrusted.read_xml(xml, MAX_BYTES)
    except untrusted.Refused as refused:
        limit = MAX_BYTES >> 20 if refused.code == "file_too_large" else untrusted.MAX_NODES
        report.add(refused.code, line=refused.line, column=refused.column, reason=refused.reason, limit=limit)
    return None


def _brief(value) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_FACT else text[: LONGEST_FACT - 1] + "…"
