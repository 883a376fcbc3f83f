"""Registers as CSV files: what spreadsheets here write is read, and what is written opens in them.

Reads UTF-8 with or without a mark, GBK/GB 18030 and UTF-16, cells parted by comma, semicolon or tab, headers by label in either language or by key.
Whom a line is about stands in the column 人员, 单位 or 服务对象 (person, unit, client); 单位 may narrow a name down.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.registers.declaring import BOOLEAN, CHOICE, CHOICES, CLIENT, PERSON, TEXT, UNIT, Field, Register
from engine.registers.told import Told, Wrong

LARGEST = 512 * 1024  # bytes
MOST_LINES = 5000
# The column that says whom a line is about, by what it may be called.
SUBJECTS = {
    PERSON: ("人员", "Person", "姓名", "用户名", "name", "username", "person"),
    UNIT: ("单位", "Unit", "unit"),
    CLIENT: ("服务对象", "Client", "姓名", "name", "client"),
}
SUBJECT, WITHIN = "$subject", "$unit"  # columns beside the fields
# What a spreadsheet would take for a formula, and the sign that keeps it from doing so.
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "'")


@dataclass(frozen=True)
class CsvLine:
    """One line of a file. `number`: as an editor counts; `cells`: texts by the field's key."""

    number: int
    subject: str = field(repr=False)
    within: str = field(repr=False)
    cells: dict[str, str] = field(repr=False)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a line (0: the file) in which column."""

    line: int
    column: str
    reason: str

    def as_dict(self, english: bool = False) -> dict:
        """Plain JSON; a message that knows English says it."""
        reason = getattr(self.reason, "english", self.reason) if english else str(self.reason)
        return {"line": self.line, "column": self.column, "reason": reason}


@dataclass
class CsvFile:
    """What a file holds. `columns`: for each field what its column is called there, for messages."""

    columns: dict[str, str] = field(default_factory=dict)
    lines: list[CsvLine] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def decode(data: bytes) -> str:
    """The text of a file, whatever a spreadsheet has written it in. Raises Wrong."""
    if len(data) > LARGEST:
        raise Wrong("too_big", count=LARGEST // 1024)
    marks = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    known = next((encoding for mark, encoding in marks.items() if data.startswith(mark)), None)
    for encoding in [known] if known else ["utf-8", "gb18030"]:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise Wrong("encoding")


def read(register: Register, data: bytes) -> CsvFile:
    """The lines of a file and what is wrong with its form; values are not looked at."""
    found = CsvFile()
    try:
        text = decode(data)
        rows = _rows(text)
    except Wrong as wrong:
        found.faults.append(Fault(0, "", wrong.told))
        return found
    if not rows:
        found.faults.append(Fault(0, "", Told("no_lines")))
        return found
    (header_at, header), *rest = rows
    keys = _keys(register, header_at, header, found)
    if not rest and not found.faults:
        found.faults.append(Fault(0, "", Told("no_lines")))
    if len(rest) > MOST_LINES:
        found.faults.append(Fault(0, "", Told("too_many", count=MOST_LINES)))
    if found.faults:
        return found
    for number, cells in rest:
        while len(cells) > len(keys) and not cells[-1]:  # spreadsheets leave empty cells behind
            cells.pop()
        if len(cells) > len(keys):
            found.faults.append(Fault(number, "", Told("cells", count=len(keys), found=len(cells))))
            continue
        named = dict(zip(keys, cells, strict=False))
        subject, within = named.pop(SUBJECT, ""), named.pop(WITHIN, "")
        found.lines.append(CsvLine(number, _plain(subject), _plain(within), {key: _plain(cell) for key, cell in named.items() if cell}))
    return found


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """(number of its first line, cells) of each line that is not empty. Raises Wrong."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=first.count)
    rows, start = [], 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((start, [cell.strip() for cell in cells]))
            start = reader.line_num + 1
    except csv.Error:
        raise Wrong("quotes") from None
    return rows


def _keys(register: Register, number: int, header: list[str], found: CsvFile) -> list[str]:
    """What each column is: a field's key, SUBJECT or WITHIN."""
    header = header[:]
    while header and not header[-1]:
        header.pop()
    known: dict[str, str] = {}
    if register.about != UNIT:
        known |= dict.fromkeys(("单位", "unit"), WITHIN)
    for each in register.fields:
        for name in (each.name, each.name_en, each.key):
            known.setdefault(name.lower(), each.key)
    for name in SUBJECTS[register.about]:
        known.setdefault(name.lower(), SUBJECT)
    keys = []
    for cell in header:
        key = known.get(cell.lower())
        if key is None:
            found.faults.append(Fault(number, cell[:60], Told("unknown_column", column=cell[:60])))
        elif key in keys:
            found.faults.append(Fault(number, cell, Told("column_twice", column=cell)))
        keys.append(key or "")
        found.columns[key or ""] = cell
    wanted = {SUBJECT: SUBJECTS[register.about][:2]} | {each.key: (each.name, each.name_en) for each in register.fields if each.required}
    for key, names in wanted.items():
        if key not in keys:
            found.faults.append(Fault(number, names[0], Told("no_column", column=names)))
    return keys


# --- writing ----------------------------------------------------------------------------------------------------------


def write(register: Register, rows: Iterable[Mapping[str, Any]], english: bool = False) -> bytes:
    """A file in UTF-8 with a mark, of mappings with SUBJECT, WITHIN and the fields as they are kept; moments and people as texts already."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    within = [] if register.about == UNIT else [WITHIN]
    titles = [SUBJECTS[register.about][english], *(("Unit" if english else "单位") for _ in within)]
    writer.writerow(titles + [each.name_en if english else each.name for each in register.fields])
    for row in rows:
        cells = [guarded(row.get(key) or "") for key in [SUBJECT, *within]]
        writer.writerow(cells + [_cell(each, row.get(each.key), english) for each in register.fields])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def _plain(cell: str) -> str:
    """A text as it was before `guarded`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_DANGEROUS) else cell


def _cell(each: Field, value: Any, english: bool) -> str:
    if value is None:
        return ""
    if each.type in (CHOICE, CHOICES):
        called = {choice.key: choice.name_en if english else choice.name for choice in each.choices}
        chosen = [called.get(key, key) for key in (value if isinstance(value, list) else [value])]
        return ("; " if english else "、").join(chosen)
    if each.type == BOOLEAN:
        return ("no", "yes")[value] if english else "否是"[value]
    return guarded(str(value)) if each.type in (TEXT, PERSON) else str(value)
