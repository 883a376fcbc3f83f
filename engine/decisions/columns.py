"""A table that is asked by the values of its columns, where only those were kept and not what they were worked out from."""

from lxml import etree

from engine import untrusted
from engine.decisions import Decision, compile_decisions
from engine.decisions.reading.base import MAX_BYTES

_NEEDED = ("itemDefinition", "import")  # of the file, besides the table itself
_REQUIREMENTS = ("informationRequirement", "knowledgeRequirement", "authorityRequirement")


def name_of(column: int) -> str:
    """The variable that holds the value of the nth column of conditions, from 0."""
    return f"kept_{column + 1}"


def by_columns(xml: bytes, ident: str) -> Decision:
    """The decision table `ident` of a file with its conditions' expressions replaced by plain variables (`name_of`), and nothing required.

    Its `names` beyond those are what its cells read besides. Raises DeployRefused and NotFound, as compiling the file would.
    """
    root = untrusted.read_xml(xml, MAX_BYTES)
    for element in list(root):
        kind = etree.QName(element).localname
        if kind not in _NEEDED and element.get("id") != ident:
            root.remove(element)
    for element in list(root.iterfind("{*}decision/*")):
        if etree.QName(element).localname in _REQUIREMENTS:
            element.getparent().remove(element)
    for column, text in enumerate(root.iterfind("{*}decision/{*}decisionTable/{*}input/{*}inputExpression/{*}text")):
        text.text = name_of(column)
    return compile_decisions(etree.tostring(root)).find(ident)
