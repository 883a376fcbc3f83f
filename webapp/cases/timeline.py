"""A case's history for people: who did what, when, in words; what the machine did in between stays behind a switch."""

from dataclasses import dataclass, field

from engine import feel
from engine.definitions import Compiled
from webapp import words
from webapp.i18n import in_chinese, named

# What a person wants to know. Everything else is there too, behind "show every step".
TOLD = frozenset(
    {
        "instance:started",
        "instance:cancelled",
        "instance:retried",
        "task:claimed",
        "task:released",
        "task:delegated",
        "task:completed",
        "regulation:checked",
        "gateway:decided",
        "decision:evaluated",
        "timer:due",
        "timer:failed",
        "timer:rescheduled",
        "wait:cancelled",
        "incident:raised",
        "incident:resolved",
        "case:completed",
    }
)
LONGEST = 160


@dataclass
class Entry:
    """One line: `who` did `what` to `where` at `when`; `details` are (label, text); `data` what was filled in, if it may be shown."""

    seq: int
    kind: str
    when: str
    what: str
    tone: str
    where: str
    who: str
    hash: str
    details: list[tuple[str, str]] = field(default_factory=list)
    data: list[tuple[str, str]] = field(default_factory=list)
    sealed: bool = False


def entries(lines: list[dict], compiled: Compiled, people: dict[str, str], show_all: bool, show_data: bool) -> list[Entry]:
    """The lines of `engine.instances.history`, newest first. What was filled in hangs on the task that was completed."""
    labels = field_labels(compiled)
    filled: dict[int, dict] = {}
    found: list[Entry] = []
    for line in lines:
        if line["kind"] == "wait:completed" and line["data"]:
            filled[line["seq"]] = line["data"]
    for line in lines:
        if not show_all and line["kind"] not in TOLD:
            continue
        what, tone = words.EVENTS.get(line["kind"], (line["kind"], ""))
        element = compiled.process.elements.get(line["facts"].get("element") or "")
        entry = Entry(
            seq=line["seq"],
            kind=line["kind"],
            when=line["occurred_at"],
            what=str(what),
            tone=tone,
            where=element_name(element),
            who=people.get(line["actor_id"] or "", "") or words.role("system" if line["actor_id"] in (None, "system") else ""),
            hash=line["hash"],
            details=_details(line, compiled, people),
        )
        data = line["data"]
        if line["kind"] == "task:completed" and not show_all:
            data = next((filled[seq] for seq in range(line["seq"] + 1, line["seq"] + 4) if seq in filled), None)
        if data:
            entry.sealed = not show_data
            if show_data:
                entry.data = told(data, labels)
        found.append(entry)
    return found[::-1]


def element_name(element) -> str:
    """What the diagram calls an element, in the reader's language."""
    if element is None:
        return ""
    return named({"name": element.name or element.id, "name_en": element.properties.get("name_en")})


def field_labels(compiled: Compiled) -> dict[str, str]:
    """Variable → the label that the version's forms give it."""
    labels: dict[str, str] = {}

    def walk(components) -> None:
        for component in components:
            label = component.attributes.get("label_en") if not in_chinese() else None
            label = label or component.label
            if component.path and isinstance(label, str) and label:
                labels.setdefault(component.path[-1], label)
            walk(component.children)

    for form in compiled.forms.values():
        walk(form.fields)
    return labels


def told(data: dict, labels: dict[str, str]) -> list[tuple[str, str]]:
    """Stored data (FEEL's tagged JSON) as (label, text)."""
    try:
        values = feel.to_plain(feel.decode(data))
    except (ValueError, TypeError, KeyError):
        values = data
    if isinstance(values, dict) and set(values) == {"values"}:
        values = values["values"]
    return [(labels.get(name, name), text_of(value, labels)) for name, value in values.items()] if isinstance(values, dict) else []


def text_of(value, labels: dict[str, str] | None = None) -> str:
    """A value for people: lists joined, contexts named, truth in words."""
    labels = labels or {}
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return ("是" if value else "否") if in_chinese() else ("yes" if value else "no")
    if isinstance(value, list):
        return ("、" if in_chinese() else ", ").join(text_of(each, labels) for each in value) or "—"
    if isinstance(value, dict):
        return ("；" if in_chinese() else "; ").join(f"{labels.get(name, name)} {text_of(each, labels)}" for name, each in value.items())
    return str(value)


def _details(line: dict, compiled: Compiled, people: dict[str, str]) -> list[tuple[str, str]]:
    """The facts of a line that say something to people."""
    from flask_babel import gettext

    facts, kind = line["facts"], line["kind"]
    found = []
    if kind == "gateway:decided":
        taken = [compiled.process.flows.get(flow) for flow in facts.get("flows", ())]
        found.append((gettext("走向"), text_of([flow.name or element_name(compiled.process.elements.get(flow.target)) for flow in taken if flow])))
    if kind == "decision:evaluated":
        found.append((gettext("决策表"), str(facts.get("decision", ""))))
        found.append((gettext("命中规则"), text_of([str(rule) for rule in facts.get("rules", ())])))
    if kind == "task:delegated":
        found.append((gettext("转派给"), people.get(facts.get("to") or "", "")))
    if kind == "regulation:checked":
        found.append((gettext("规则"), text_of([str(each.get("rule")) for each in facts.get("verdicts", ())])))
    if kind == "incident:raised":
        found.append((gettext("原因"), str(facts.get("message") or facts.get("code", ""))))
    if kind == "timer:failed":
        found.append((gettext("原因"), str(facts.get("error", ""))))
    return [(label, text[:LONGEST]) for label, text in found if text]
