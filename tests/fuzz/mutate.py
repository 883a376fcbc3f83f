"""What hostile or careless programs send: values, texts, JSON and bytes, made from valid ones by chance (`dice`)."""

import copy
import gzip
import json
import zlib
from random import Random

from lxml import etree

from tests.fuzz.harness import MARK

TEXTS = [
    "",
    " ",
    "0",
    "null",
    "张三",
    MARK,
    f"'\"><img src=x onerror=alert(1)>{MARK}",
    "{{7*7}}${7*7}#{7*7}%(x)s{0}{field}",
    "' OR 1=1; --",
    "../../../etc/passwd",
    "..\\..\\x",
    "a\x00b",
    "\x01\x1b[31m",
    "\u202e\u2066txt.exe\u2069",
    "\u200b\ufeff",
    "e\u0301" * 40,
    "𠀀🏳️‍🌈",
    "ﷺ" * 30,
    "\ud800",
    "\udfff\ud800x",
    "x" * 300,
    "9" * 50,
    "-1",
    "1e999",
    "NaN",
    "2026-02-30",
    "9999-12-31T23:59:59.999999+14:00",
    "0000-00-00",
    "R/PT0S",
    "=1/0",
    "%00%0a%0d",
    "line\r\nSet-Cookie: a=b",
    "constructor",
    "__proto__",
    "goals[0].text",
    "[]",
    "true",
]
NUMBERS = [0, -0.0, -1, 1, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 10**40, 1e308, -1e-308, 0.1, 5e-324]
NAMES = ["", "id", "data", "$d", "__class__", "constructor", "csrf_token", "a.b", "a[0]", "x" * 200, "\u0000", "键", MARK, "this", "parent"]


def value(dice: Random, depth: int = 2):
    """Any JSON value."""
    match dice.randrange(8 if depth else 4):
        case 0:
            return dice.choice(NUMBERS)
        case 1:
            return dice.choice([None, True, False])
        case 2 | 3:
            return dice.choice(TEXTS)
        case 4:
            return [value(dice, depth - 1) for _ in range(dice.randrange(4))]
        case 5:
            return {dice.choice(NAMES): value(dice, depth - 1) for _ in range(dice.randrange(4))}
        case 6:
            return dice.choice(TEXTS) * dice.choice([1, 1, 50, 5000])
        case _:
            return [value(dice, 0)] * dice.choice([1, 30, 600])


def changed(dice: Random, data):
    """`data` with one place of it changed: a value, a name, one more or one less."""
    data = copy.deepcopy(data)
    places = list(_places(data))
    if not places:
        return value(dice)
    holder, key = dice.choice(places)
    match dice.randrange(7):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[dice.choice(NAMES)] = value(dice)
        case 1:
            holder.append(value(dice))
        case 2 if isinstance(holder, dict):
            holder[dice.choice(NAMES)] = holder.pop(key)
        case 3:
            holder[key] = [holder[key]]
        case 4:
            holder[key] = {"x": holder[key]}
        case 5 if isinstance(holder[key], str) and holder[key]:
            holder[key] = holder[key][: dice.randrange(len(holder[key]))] + dice.choice(TEXTS) + holder[key][-1:]
        case _:
            holder[key] = value(dice)
    return data


def _places(data):
    """Every (holder, key) inside."""
    pairs = list(data.items()) if isinstance(data, dict) else list(enumerate(data)) if isinstance(data, list) else []
    for key, inner in pairs:
        yield data, key
        yield from _places(inner)


def written(dice: Random, data) -> bytes:
    """JSON text of `data`, now and then of a kind that ought not to be."""
    text = json.dumps(data, ensure_ascii=dice.random() < 0.5)
    match dice.randrange(14):
        case 0 if text[-1] == "}" and len(text) > 2:  # a name twice
            text = text[:-1] + f', "{dice.choice(list(data) or ["x"])}": 1}}'
        case 1:
            text = text.replace("null", dice.choice(["NaN", "Infinity", "-Infinity", "1e999", "-1e9999", "9" * 100_000, "1" * 5000 + ".5"]))
        case 2:
            depth = dice.choice([10, 39, 41, 1000, 100_000])
            return b'{"data":' + dice.choice([b"[", b'{"a":']) * depth + b"1"
        case 3:
            depth = dice.choice([10, 38, 41, 1000])
            return b'{"data":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
        case 4:
            text = text.replace('": ', '": [' + "[" * dice.choice([1, 50]), 1)
    return text.encode(errors="surrogatepass")


def damaged(dice: Random, content: bytes) -> bytes:
    """Bytes with a part changed, lost, doubled or foreign."""
    made = bytearray(content)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(made) + 1)
        match dice.randrange(7):
            case 0:
                made[at:at] = bytes(dice.randrange(256) for _ in range(dice.randint(1, 4)))
            case 1:
                del made[at : at + dice.randint(1, 20)]
            case 2 if made:
                made[at % len(made)] = dice.randrange(256)
            case 3:
                made[at:at] = made[at : at + dice.randint(1, 60)]
            case 4:
                made[at:at] = dice.choice([b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc0\xaf", b"\xed\xa0\x80", b"\r\n", b"--", b"&#0;"])
            case 5:
                made = made[:at]
            case _:
                made[at:at] = dice.choice(TEXTS).encode(errors="surrogatepass")
    return bytes(made)


def encoded(dice: Random, content: bytes) -> tuple[bytes, dict[str, str]]:
    """Bytes as another encoding says them, with the headers that tell so (or lie)."""
    text = content.decode(errors="replace")
    return dice.choice(
        [
            (gzip.compress(content), {"Content-Encoding": "gzip"}),
            (zlib.compress(content), {"Content-Encoding": "deflate"}),
            (content, {"Content-Encoding": dice.choice(["gzip", "br", "identity", "x" * 100])}),
            (text.encode("utf-16"), {}),
            (text.encode("utf-16"), {"Content-Type": "application/json; charset=utf-16"}),
            (b"\xef\xbb\xbf" + content, {}),
            (text.encode("gb18030", errors="replace"), {"Content-Type": "application/json; charset=gb18030"}),
            (text.encode("utf-7"), {"Content-Type": "application/json; charset=utf-7"}),
        ]
    )


HEADERS: list[tuple[str, list[str]]] = [
    ("Content-Type", ["", "text/plain", "application/json; charset=\xff", "application/xml", "multipart/form-data"]),
    ("Content-Type", ["a" * 5000, ";;;", "application/problem+json"]),
    ("Content-Type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "b" * 5000]),
    ("Content-Encoding", ["gzip", "identity", "chunked", "\xff"]),
    ("Accept", ["", "text/html", "*/*;q=x", "a/b," * 1000]),
    ("Accept-Language", ["en", "zh", "en;q=0", "*;q=NaN", "x-" + "y" * 3000, "en;q=1e999", "\xe5"]),
    ("Authorization", ["", "Bearer", "Bearer ", "Bearer x", "Bearer \xff\xfe", "Basic YTpi", "Basic \xff"]),
    ("Authorization", ["Bearer " + "A" * 8000, "Digest a=b, c", "bearer a b"]),
    ("Idempotency-Key", ["", "k", "k" * 200, "k" * 201, "\x7f", "\xff", "a b", MARK, "\t"]),
    ("Cookie", ["shuibo-session=x", "shuibo-form=x.y.z", "=;=;", "a=" + "b" * 9000, "lang=en", "lang=" + MARK, '"\xff', "shuibo-session=\xed\xa0\x80"]),
    ("Transfer-Encoding", ["chunked"]),
    ("Host", ["", "evil.example", "a b", "[::1", "localhost:99999", "\xff"]),
    ("Range", ["bytes=0-", "bytes=9-1", "bytes=a-b", "x" * 1000]),
    ("If-None-Match", ['"x"', "*", 'W/"', "," * 500]),
    ("If-Modified-Since", ["x", "Thu, 01 Jan 1970 00:00:00 GMT", "9" * 400]),
    ("X-HTTP-Method-Override", ["DELETE", "x"]),
    ("X-Forwarded-For", ["1.2.3.4", "\xff", MARK]),
    ("Expect", ["100-continue", "x"]),
    ("Referer", ["http://evil.example/", MARK, "\xff"]),
    ("User-Agent", ["", MARK, "x" * 8000]),
    ("Upgrade", ["websocket"]),
]


def header(dice: Random) -> tuple[str, str]:
    """A header and a value that nobody wants in it."""
    name, values = dice.choice(HEADERS)
    return name, dice.choice(values)


SEGMENTS = ["nope", "%00", "%ff%fe", "..", "%2e%2e", "%2F", ";", "a" * 2000, "1", "0" * 32, "%E5%BC%A0", "-1", "9" * 20, "*", "%0d%0a"]
SEGMENTS += ["x%3Cscript%3E"]
PARAMETERS = ["cursor", "limit", "view", "status", "definition", "place", "client", "q", "kind", "after", "all", "next", "unit", "who", "nobody", ""]
ARGUMENTS = ["", "%00", "%ff", "%", "%zz", "-1", "0", "1", "201", "1e3", "9" * 30, "YWJj", "MQ", "!!!", "_" * 500, "%E5%BC%A0", "a" * 3000]
ARGUMENTS += ["true", "null", "[]", "%3Cscript%3Efuzz()%3C/script%3E"]


def segment(dice: Random) -> str:
    """A part of a path, quoted or not."""
    return dice.choice(SEGMENTS)


def query(dice: Random, valid: str) -> str:
    """A query string with a parameter more, twice, or broken."""
    name, said = dice.choice(PARAMETERS), dice.choice(ARGUMENTS)
    return "&".join(filter(None, [valid, f"{name}={said}", dice.choice(["", "", "&&==", "limit=1&limit=2", "=", "a&b;c"])]))


# --- XML ------------------------------------------------------------------------------------------------------------

FEEL = [
    "=for i in 1..100000, j in 1..100000 return i * j",
    "=" + "(" * 60 + "1" + ")" * 60,
    "=" + "(" * 5000,
    "=" + "1+" * 9000 + "1",
    '=matches("' + "a" * 300 + '!", "(a+)+$")',
    '=replace("' + "ab" * 200 + '", "((a|b)*)*c", "x")',
    "={f: function(n) f(n), r: f(1)}.r",
    '=string join(for i in 1..1000 return "' + "x" * 500 + '")',
    "=2 ** 99999999",
    "=99999999999999999999999999999999999 ** 40",
    '=date("9999-12-31") + duration("P9999999Y")',
    '=duration("P999999999999999999D")',
    "=null.x.y[1]",
    "=some x in [1] satisfies y",
    "=@",
    "=if",
    "=" + "a" * 30_000,
    "= \u0000",
    "=1/0",
    "=now()",
    "=[1..3][item > 1]",
    "R/PT0S",
    "R999999/PT1S",
    "PT-1S",
    "-P1D",
    "2026-99-99T00:00:00Z",
]
DOCTYPES = [
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>',
    '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]>',
    "<!-- <a --><!DOCTYPE x>",
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "cp037", "utf-7", "latin-1", "shift_jis", "big5"]


def changed_xml(dice: Random, root) -> None:
    """One change to a tree, in place: an element lost, moved, doubled, renamed, nested; an attribute or a text changed."""
    nodes = [node for node in root.iter(etree.Element) if node is not root]
    if not nodes:
        return
    node, other = dice.choice(nodes), dice.choice(nodes)
    match dice.randrange(9):
        case 0:
            node.getparent().remove(node)
        case 1 | 2 if node.attrib:
            node.set(dice.choice(list(node.attrib)), xml_text(dice))
        case 3 if node.attrib:
            del node.attrib[dice.choice(list(node.attrib))]
        case 4:
            namespace = etree.QName(node).namespace
            node.tag = f"{{{namespace}}}{etree.QName(other).localname}"
        case 5 if node is not other and node not in other.iterancestors():
            other.append(copy.deepcopy(node))
        case 6:
            node.text = xml_text(dice)
        case 7:
            node.set(dice.choice(["id", "name", "default", "formId", "{urn:x}y", "processRef", "typeRef", "hitPolicy"]), xml_text(dice))
        case _:
            inner = node
            for _ in range(dice.choice([1, 30, 200])):
                inner = etree.SubElement(inner, node.tag)


def xml_text(dice: Random) -> str:
    """What an attribute may be made to say."""
    text = dice.choice([*FEEL, *TEXTS]) * dice.choice([1, 1, 1, 1, 200])
    return "".join(letter for letter in text if letter >= " " and not "\ud800" <= letter <= "\udfff" and letter not in "\ufffe\uffff")


def xml_bytes(dice: Random, root) -> bytes:
    """A tree as a file, now and then of a kind that must be refused."""
    text = etree.tostring(root, encoding="unicode")
    match dice.randrange(12):
        case 0:
            text = dice.choice(DOCTYPES) + text.replace(' name="', ' name="&c;', 1)
        case 1:
            encoding = dice.choice(ENCODINGS)
            said = dice.choice([encoding, dice.choice(ENCODINGS), "", "x" * 300])
            return f'<?xml version="1.0" encoding="{said}"?>{dice.choice(["", "", DOCTYPES[0]])}{text}'.encode(encoding, errors="replace")
        case 2:
            return damaged(dice, text.encode())
        case 3:
            return dice.choice([b"PK\x03\x04" + b"\x00" * 60, gzip.compress(text.encode()), b"\x89PNG\r\n\x1a\n", b"", b"\xff" * 100, b"{}"])
        case 4:
            text = text.replace(">", ">" + dice.choice(["<![CDATA[<script>]]>", "<!-- x -->", "<?php x ?>", "&lt;&#0;", "&e;", "&#xD800;", "&#x202E;"]), 1)
    return text.encode()
