"""XML and JSON from strangers. What is hostile, too large or broken is refused here, before anything else looks at it.

XML: a declaration of a document type is refused whatever it holds: entities are how a small file becomes a huge one, or reads files of the
server. Expat looks through the document and stops at what is wrong; then libxml2 builds the tree, and may expand nothing.
JSON: what RFC 8259 leaves open is closed, so that nobody downstream can read the same bytes differently: UTF-8, no name twice in an object,
no NaN and no number beyond those of IEEE 754, no half characters.
"""

import json
import math
import re
from xml.parsers import expat

from lxml import etree

MAX_NODES = 200_000  # XML elements, the drawing included
LONGEST_NAME = 1000  # characters of an id, a namespace, or the name of an element or attribute


class Refused(Exception):
    """`code`: file_too_large, doctype, not_xml, too_many_nodes, not_json or too_deep; `reason` (Chinese, English), line and column where
    they are known."""

    def __init__(self, code: str, reason: tuple[str, str] = ("", ""), line: int | None = None, column: int | None = None):
        self.code, self.reason, self.line, self.column = code, reason, line, column
        super().__init__(code)


def read_xml(xml: bytes, most_bytes: int) -> etree._Element:
    """The root element, without comments and processing instructions, or Refused. Encodings are UTF-8, UTF-16 and what expat knows."""
    if len(xml) > most_bytes:
        raise Refused("file_too_large")
    _look_through(xml)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        raise Refused("not_xml", (error.msg, error.msg), error.lineno, error.offset) from None
    except ValueError as error:
        raise Refused("not_xml", (str(error), str(error))) from None
    if root.getroottree().docinfo.doctype:  # should the two parsers ever disagree about what a prolog is
        raise Refused("doctype")
    return root


def _look_through(xml: bytes) -> None:
    """Raises Refused before a tree is built. A long id or namespace would be copied for every element that it stands for."""
    nodes = 0

    def doctype(*_declaration):
        raise Refused("doctype")

    def element(name: str, attributes: dict[str, str]):
        nonlocal nodes
        nodes += 1
        if nodes > MAX_NODES:
            raise Refused("too_many_nodes")
        if len(name) > LONGEST_NAME or any(
            len(key) > LONGEST_NAME or (len(value) > LONGEST_NAME and (key == "id" or key.startswith("xmlns")))
            for key, value in attributes.items()
        ):
            raise Refused("not_xml", (f"编号或名称超过 {LONGEST_NAME} 个字符", f"an id or name has more than {LONGEST_NAME} characters"))

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = element
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise Refused("not_xml", (str(error), str(error)), error.lineno, error.offset + 1) from None
    except (ValueError, LookupError):
        raise Refused("not_xml", ("编码应为 UTF-8 或 UTF-16", "the encoding must be UTF-8 or UTF-16")) from None


def read_json(content: bytes, deepest: int = 200):
    """The value, or Refused: not_json with the reason, too_deep where brackets nest deeper than `deepest`."""
    if content.count(b"{") + content.count(b"[") > deepest:
        _check_depth(content, deepest)
    try:
        value = _STRICT.decode(content.decode("utf-8"))
        if b"\\u" in content:
            json.dumps(value, ensure_ascii=False).encode()
    except _Twice as error:
        name = str(error)[:40]
        raise Refused("not_json", (f"名称“{name}”在同一个对象里出现了两次", f'the name "{name}" is twice in one object')) from None
    except _NoNumber as error:
        raise Refused("not_json", (f"不能使用 {error}", f"{error} cannot be used")) from None
    except UnicodeEncodeError:
        raise Refused("not_json", ("含有不成对的 UTF-16 代理字符", "there is half of a surrogate pair")) from None
    except UnicodeDecodeError as error:
        raise Refused("not_json", (f"第 {error.start + 1} 个字节起不是 UTF-8", f"byte {error.start + 1} is not UTF-8")) from None
    except json.JSONDecodeError as error:
        at = (f"第 {error.lineno} 行第 {error.colno} 列：{error.msg}", f"line {error.lineno}, column {error.colno}: {error.msg}")
        raise Refused("not_json", at, error.lineno, error.colno) from None
    except ValueError:  # Python reads no number of more than some thousand digits
        raise Refused("not_json", ("数字的位数太多", "a number has too many digits")) from None
    except RecursionError:
        raise Refused("too_deep") from None
    return value


class _Twice(ValueError):
    pass


class _NoNumber(ValueError):
    pass


def _object(pairs: list[tuple]) -> dict:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen = set()
        raise _Twice(next(name for name, _value in pairs if name in seen or seen.add(name)))
    return made


def _constant(name: str):
    raise _NoNumber(name)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _NoNumber(text[:40])
    return value


_STRICT = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
# A string without an end goes to the end: to try anew at each of its quotes would take the square of its length.
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[^\[\]{}"]++', re.DOTALL)


def _check_depth(content: bytes, deepest: int) -> None:
    """Before anything parses it."""
    depth = 0
    for bracket in _BRACKETS.sub(b"", content):  # what is left are brackets outside strings
        depth += 1 if bracket in b"{[" else -1
        if depth > deepest:
            raise Refused("too_deep")
