"""A form's fields as the blocks of a paper: lines of label and value, tables, texts. What a form hides or only explains is left out."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from flask_babel import gettext

from engine.forms import FieldView
from webapp.i18n import day, in_chinese, moment

CHOICES = ("radio", "select", "checklist", "taglist")
MOST_BOXES = 9  # of a choice whose options are all printed on a blank
NARROW = ("textfield", "number", "datetime", "checkbox", *CHOICES)


@dataclass
class Line:
    """A label with its value. `long`: a text of its own; `wide`: it takes both columns, being long or having no neighbour."""

    label: str
    value: str
    long: bool
    wide: bool = False


@dataclass
class Block:
    """One part of a paper. `kind`: heading (text), lines, table (head, rows, under a text), text (safe HTML)."""

    kind: str
    text: str = ""
    lines: list["Line"] = field(default_factory=list)
    head: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


def blocks(fields: tuple[FieldView, ...], filled: bool, notice: bool) -> list[Block]:
    """The paper of a form. `filled`: leave out what was not answered, print only what was chosen; else empty lines and boxes to tick.
    `notice`: the form's texts are the paper's."""
    found: list[Block] = []
    for each in _blocks(fields, filled, notice):
        if each.kind == "lines" and found and found[-1].kind == "lines":
            found[-1].lines += each.lines
        else:
            found.append(each)
    for each in found:
        _widen(each.lines)
    return found


def _widen(lines: list[Line]) -> None:
    """Two short lines stand side by side; one that has no neighbour takes the row."""
    position = 0
    for number, here in enumerate(lines, 1):
        alone = position % 2 == 0 and (number == len(lines) or lines[number].long)
        here.wide = here.long or alone
        position = 0 if here.wide else position + 1


def _blocks(fields: tuple[FieldView, ...], filled: bool, notice: bool) -> Iterator[Block]:
    for each in fields:
        if each.attributes.get("off_paper") or (each.hidden and (filled or not each.live.get("hide"))):
            continue
        if each.kind == "group":
            inside = blocks(each.children, filled, notice)
            if inside and _label(each):
                yield Block("heading", _label(each))
            yield from inside
        elif each.kind == "text":
            if notice and not each.hidden:
                yield Block("text", each.attributes.get("html", ""))
        elif each.kind == "table":
            head = [label for _key, label in each.attributes.get("columns_of_table", ())]
            rows = each.attributes.get("rows_of_table", [])
            if rows:
                yield Block("table", _label(each), head=head, rows=rows)
        elif each.kind == "dynamiclist":
            yield from _list(each, filled, notice)
        elif each.kind in (*NARROW, "textarea"):
            value = text_of(each, filled)
            if value or not filled:
                yield Block("lines", lines=[Line(_label(each), value, each.kind == "textarea" or "\n" in value)])


def _list(each: FieldView, filled: bool, notice: bool) -> Iterator[Block]:
    """Entries of few short fields are the rows of a table, others stand under each other."""
    entries = [entry for entry in each.children if not (filled and entry.hidden)]
    shown = [child for child in (entries[0].children if entries else ()) if child.kind in NARROW]
    if entries and len(shown) == len(entries[0].children) and len(shown) <= 6:
        columns = [n for n in range(len(shown)) if any(text_of(entry.children[n], filled) for entry in entries) or not filled]
        rows = [[text_of(entry.children[n], filled) for n in columns] for entry in entries]
        yield Block("table", _label(each), head=[_label(shown[n]) for n in columns], rows=rows)
        return
    for number, entry in enumerate(entries, 1):
        yield Block("heading", f"{_label(each)} {number}")
        yield from blocks(entry.children, filled, notice)


def text_of(each: FieldView, filled: bool) -> str:
    """A field's value in words; of a blank, boxes for what may be chosen."""
    if each.kind in CHOICES:
        if not filled and len(each.options) <= MOST_BOXES:
            return "  ".join(f"{'☑' if option.selected else '☐'} {_option(option)}" for option in each.options)
        return gettext("、").join(_option(option) for option in each.options if option.selected)
    if each.kind == "checkbox":
        return ("☑ " + gettext("是")) if each.value else ("" if filled else "☐")
    if each.kind == "datetime" and each.value:
        return {"date": day, "time": str}.get(each.attributes.get("subtype", "date"), moment)(each.value)
    return each.text


def _label(each: FieldView) -> str:
    return each.label if in_chinese() or not each.label_en else each.label_en


def _option(option) -> str:
    return option.label if in_chinese() or not option.label_en else option.label_en
