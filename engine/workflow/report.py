"""Collects what an examination finds, and refuses hostile or broken XML before anything else looks at it."""

import re

from lxml import etree

from engine.findings import Finding

MAX_BYTES = 4 * 1024 * 1024
MAX_NODES = 200_000  # XML elements, the drawing included
MAX_FINDINGS = 500
_PROLOG = re.compile(rb"<(?=[A-Za-z_])")


class Report:
    """Findings in the order they were made."""

    def __init__(self):
        """Empty."""
        self.findings: list[Finding] = []

    def error(self, code: str, element: str | None, message: str, message_en: str, **where) -> None:
        """What refuses the diagram."""
        self._add(Finding(code, message, message_en, element, **where))

    def warn(self, code: str, element: str | None, message: str, message_en: str, **where) -> None:
        """What its author should know."""
        self._add(Finding(code, message, message_en, element, severity="warning", **where))

    def _add(self, finding: Finding) -> None:
        if len(self.findings) < MAX_FINDINGS and finding not in self.findings:
            self.findings.append(finding)

    @property
    def refused(self) -> bool:
        """Whether there is an error."""
        return any(finding.severity == "error" for finding in self.findings)


def read_xml(xml: bytes, report: Report):
    """The root element, without comments; None, with a finding, for anything but small, plain, well-formed XML."""
    if len(xml) > MAX_BYTES:
        report.error("file_too_large", None, f"文件超过 {MAX_BYTES >> 20} MB,请拆成几个流程", f"The file is larger than {MAX_BYTES >> 20} MB; split it")
        return None
    prolog = _PROLOG.split(xml.replace(b"\0", b""), maxsplit=1)[0]
    if b"<!DOCTYPE" in prolog:
        _refuse_doctype(report)
        return None
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        where = {"line": error.lineno, "column": error.offset} if isinstance(error, etree.XMLSyntaxError) else {}
        report.error(
            "not_xml", None, "这不是一个完整的 BPMN 文件(XML 无法读取);请在建模工具里重新保存", f"This is not well-formed XML: {error}", **where
        )
        return None
    if root.getroottree().docinfo.doctype:
        _refuse_doctype(report)
        return None
    if sum(1 for _ in root.iter()) > MAX_NODES:
        report.error("too_many_nodes", None, f"文件里的 XML 元素超过 {MAX_NODES} 个", f"The file has more than {MAX_NODES} XML elements")
        return None
    return root


def _refuse_doctype(report: Report) -> None:
    report.error("doctype", None, "文件含有 DOCTYPE 声明,出于安全不予读取;请删除它", "The file has a DOCTYPE declaration, which is refused for safety; remove it")
