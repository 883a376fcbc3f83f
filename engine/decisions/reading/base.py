"""What every part of reading needs: the XML, names of types, and findings."""

import re
from collections.abc import Iterator

from lxml import etree

from engine import untrusted
from engine.decisions.model import TYPES, Cell, Source
from engine.findings import Finding, Findings

# DMN 1.1 to 1.5 differ in what they add; the names they share mean the same.
MODELS = (
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
)
OTHER_MODELS = ("http://www.omg.org/spec/DMN/", "https://www.omg.org/spec/DMN/")
_FEEL = re.compile(r"(feel|https?://www\.omg\.org/spec/(DMN/[0-9]+/)?FEEL/([0-9]+/?)?)?\Z", re.IGNORECASE)
_DRAWINGS = ("DMNDI",)

# Bounds on what a supervisor may upload; the largest table that makes sense on a screen is far below them.
MAX_BYTES = 4_000_000
MAX_CELL = 2_000  # characters of a cell of a table
MAX_TEXT = 10_000  # characters of any other expression
_REFUSED = {
    "file_too_large": ("dmn_too_big", f"文件超过 {MAX_BYTES // 1_000_000} MB", "The file is too big"),
    "too_many_nodes": ("dmn_too_big", f"文件里的 XML 元素超过 {untrusted.MAX_NODES} 个", "The file has too many XML elements"),
    "doctype": ("doctype", "不允许文档类型声明（DOCTYPE）", "A DOCTYPE is not allowed"),
    "not_xml": ("xml", "不是完好的 XML:", "Not well-formed XML: "),
}


class BaseReader:
    """Gathers records and findings while the tree is walked once."""

    def __init__(self, file: str | None):
        self.file = file
        self.findings = Findings()
        self.source = Source()
        self.model = ""  # the file's namespace
        self.type_names: frozenset[str] = frozenset()

    def refuse(self, code: str, element, zh: str, en: str) -> None:
        """Add an error."""
        if self.findings.full:
            return
        ident = element if element is None or isinstance(element, str) else nearest_id(element)
        self.findings.append(Finding(code, zh, en, element=ident, file=self.file))

    def parse(self, xml: bytes):
        """The root of a DMN file, or None after a finding."""
        try:
            root = untrusted.read_xml(xml, MAX_BYTES)
        except untrusted.Refused as refused:
            code, zh, en = _REFUSED[refused.code]
            reason = refused.reason
            self.findings.append(Finding(code, zh + reason[0], en + reason[1], None, self.file, refused.line, refused.column))
            return None
        name = etree.QName(root)
        if name.localname != "definitions" or name.namespace not in MODELS:
            if name.namespace and name.namespace.startswith(OTHER_MODELS):
                return self.refuse(
                    "dmn_version",
                    root,
                    "只支持 DMN 1.1 至 1.5；请在 dmn-js 中打开后另存",
                    "Only DMN 1.1 to 1.5 is supported; open and save the file in dmn-js",
                )
            return self.refuse("dmn_root", root, "这不是 DMN 文件", "This is not a DMN file")
        self.model = name.namespace
        return root

    # --- small parts --------------------------------------------------------------------------------------------------------

    def cell(self, element, most: int = MAX_CELL) -> Cell:
        """The text of an expression element, its language checked."""
        self.language(element)
        texts = list(self.children(element, "description"))
        for child in texts:
            if etree.QName(child).localname != "text" or len(child) or len(texts) > 1:
                self.unsupported(child)
        text = (texts[0].text or "") if texts else ""
        if len(text) > most:
            self.refuse("dmn_cell_too_long", element, f"表达式超过 {most} 个字符", f"The expression is longer than {most} characters")
            text = ""
        return Cell(nearest_id(element), text)

    def values(self, element) -> Cell | None:
        """Unary tests that restrict values; None where they are empty."""
        self.attributes(element, "id label expressionLanguage")
        cell = self.cell(element)
        return cell if cell.text.strip() else None

    def type(self, element, attribute: str = "typeRef") -> str | None:
        """The type an attribute names."""
        return self.type_named(element, element.get(attribute, ""))

    def type_named(self, element, written: str) -> str | None:
        """A type's name as the records have it: of an item definition of this file, or FEEL's for a built-in one.

        Old files give names a prefix, `feel:` or one of the file's own namespace."""
        written = written.strip()
        prefix, _, bare = written.rpartition(":")
        if prefix and written not in self.type_names and (bare in self.type_names or bare in TYPES):
            written = bare
        if written in self.type_names:
            return written
        if written not in TYPES:
            self.refuse("dmn_type", element, f"不支持类型“{written}”", f'Type "{written}" is not supported')
        return TYPES.get(written)

    def language(self, element) -> None:
        """Refuse another expression language than FEEL."""
        written = element.get("expressionLanguage", "")
        if not _FEEL.match(written):
            zh, en = f"表达式语言只能是 FEEL，不能是“{written}”", f'The expression language must be FEEL, not "{written}"'
            self.refuse("dmn_language", element, zh, en)

    def attributes(self, element, known: str) -> None:
        """Attributes of other vocabularies are the editor's own (column widths), except Camunda 7's, which change the meaning."""
        for name in element.attrib:
            qname = etree.QName(name)
            if qname.namespace is None:
                if qname.localname not in known.split():
                    self.unknown_attribute(element, name)
            elif "camunda.org/schema" in qname.namespace and "dmn" in qname.namespace:
                if qname.localname not in ("historyTimeToLive", "versionTag"):
                    self.unknown_attribute(element, f"camunda:{qname.localname}")

    def unknown_attribute(self, element, name: str) -> None:
        """Refuse an attribute."""
        self.refuse("dmn_unsupported", element, f"不支持属性“{name}”", f'Attribute "{name}" is not supported')

    def children(self, element, documentation: str) -> Iterator:
        """The child elements that mean something: not drawing, not `extensionElements`, not those named in `documentation`."""
        for child in element:
            if isinstance(child, etree._Entity):
                self.refuse("entity", element, "不允许实体引用", "Entity references are not allowed")
                continue
            name = etree.QName(child)
            if name.namespace != self.model:
                if name.localname not in _DRAWINGS:
                    self.unsupported(child)
            elif name.localname != "extensionElements" and name.localname not in documentation.split():
                yield child

    def unsupported(self, element) -> None:
        """Refuse an element."""
        name = etree.QName(element).localname
        self.refuse("dmn_unsupported", element, f"不支持元素“{name}”", f'Element "{name}" is not supported')


def nearest_id(element) -> str | None:
    """The id a person finds in the editor: the element's own or that of the nearest element around it."""
    while element is not None and element.get("id") is None:
        element = element.getparent()
    return None if element is None else element.get("id")


def kind_of(element) -> str:
    """The element's name without its namespace."""
    return etree.QName(element).localname
