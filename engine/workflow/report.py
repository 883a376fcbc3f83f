"""Collects what an examination finds, and refuses hostile or broken XML before anything else looks at it."""

import re

from lxml import etree

from engine.findings import Finding
from engine.workflow.faults import FAULTS, WARNINGS

MAX_BYTES = 4 * 1024 * 1024
MAX_NODES = 200_000  # XML elements, the drawing included
MAX_FINDINGS = 500
_FIRST_TAG = re.compile(rb"<(?=[A-Za-z_])")


class Report:
    """Findings in the order they were made, each once."""

    def __init__(self):
        """Empty."""
        self._findings: dict[Finding, None] = {}

    def add(self, code: str, element: str | None = None, *, line: int | None = None, column: int | None = None, **facts) -> None:
        """A fault or, for some codes, a remark. `facts` fill its message."""
        if len(self._findings) < MAX_FINDINGS:
            messages = [
                text.format(**{name: value[language] if isinstance(value, tuple) else value for name, value in facts.items()})
                for language, text in enumerate(FAULTS[code])
            ]
            severity = "warning" if code in WARNINGS else "error"
            self._findings[Finding(code, *messages, element, line=line, column=column, severity=severity)] = None

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
    if len(xml) > MAX_BYTES:
        report.add("file_too_large", limit=MAX_BYTES >> 20)
        return None
    if b"<!DOCTYPE" in _FIRST_TAG.split(xml.replace(b"\0", b""), maxsplit=1)[0]:
        report.add("doctype")  # before libxml2 expands anything
        return None
    try:
        root = etree.fromstring(xml, _parser())
    except etree.XMLSyntaxError as error:
        report.add("not_xml", line=error.lineno, column=error.offset, reason=error.msg)
        return None
    except ValueError as error:
        report.add("not_xml", reason=error)
        return None
    if root.getroottree().docinfo.doctype:
        report.add("doctype")
        return None
    if sum(1 for _ in root.iter()) > MAX_NODES:
        report.add("too_many_nodes", limit=MAX_NODES)
        return None
    return root


def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
