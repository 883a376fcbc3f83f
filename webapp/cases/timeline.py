"""A case's history for people: who did what, when, in words; what the machine did in between stays behind a switch."""

from dataclasses import dataclass, field
from datetime import date, datetime

from flask_babel import gettext

from engine import feel, parties
from engine.definitions import Compiled
from webapp import words
from webapp.i18n import day, in_chinese, moment, named

# What a person wants to know. Everything else is there too, behind "show every step".
TOLD = frozenset(
    {
        "instance:started",
        "instance:cancelled",
        "instance:retried",
        "case:called",
        "operation:moved",
        "operation:corrected",
        "message:caught",
        "message:sent",
        "signal:caught",
        "signal:sent",
        "condition:met",
        "error:caught",
        "escalation:caught",
        "job:created",
        "job:completed",
        "job:failed",
        "call:completed",
        "call:cancelled",
        "task:claimed",
        "task:released",
        "task:delegated",
        "task:returned",
        "task:reoffered",
        "task:assigned",
        "task:dispatched",
        "task:handed_over",
        "task:taken_back",
        "task:not_moved",
        "task:completed",
        "regulation:checked",
        "waiver:asked",
        "waiver:granted",
        "waiver:refused",
        "waiver:withdrawn",
        "waiver:revoked",
        "gateway:decided",
        "decision:evaluated",
        "timer:due",
        "timer:failed",
        "timer:rescheduled",
        "wait:cancelled",
        "incident:raised",
        "incident:resolved",
        "case:completed",
        "case:failed",
    }
)
# Where the sealed part of an event is nothing but why: shown beside it.
REASONS = {"operation:moved": "reason", "operation:corrected": "reason", "instance:cancelled": "reason", "job:failed": "message"}
REASONS |= dict.fromkeys(("task:released", "task:returned", "task:dispatched"), "reason")
REASONS |= dict.fromkeys(("waiver:asked", "waiver:granted", "waiver:refused", "waiver:revoked"), "reason")
# Events that say to whom a task went.
GIVEN = frozenset({"task:delegated", "task:returned", "task:assigned", "task:dispatched", "task:handed_over", "task:taken_back"})
LONGEST = 160
NOTHING = "—"


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
    case: str | None = None  # id of another case that it is about


def entries(lines: list[dict], compiled: Compiled, people: dict[str, str], show_all: bool, show_data: bool) -> list[Entry]:
    """The lines of `engine.instances.history`, newest first. What was filled in hangs on the task that was completed."""
    labels = field_labels(compiled)
    filled: dict[tuple[int, str], dict] = {}
    found: list[Entry] = []
    for line in lines:
        if line["kind"] in ("wait:completed", "variable:set") and line["data"]:
            filled[line["seq"], line["facts"].get("element")] = line["data"]
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
            case=line["facts"].get("instance" if line["kind"] == "case:called" else "parent"),
        )
        data = line["data"]
        if line["kind"] == "task:completed" and not show_all:
            near = ((seq, line["facts"].get("element")) for seq in range(line["seq"] + 1, line["seq"] + 4))
            data = next((filled[place] for place in near if place in filled), None)
        if data and (why := REASONS.get(line["kind"])) and show_data:
            entry.details.append((gettext("原因"), str(data.get(why, ""))[:LONGEST]))
        elif data:
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


def flow_name(flow, compiled: Compiled) -> str:
    """What the diagram calls a way, in the reader's language; a way without a name is called by where it leads."""
    if not flow.name:
        return element_name(compiled.process.elements.get(flow.target))
    return named({"name": flow.name, "name_en": flow.properties.get("name_en")})


@dataclass
class Labels:
    """What a version's forms call variables and options: `fields` by key, `options` by (key, value)."""

    fields: dict[str, str] = field(default_factory=dict)
    options: dict[tuple[str, str], str] = field(default_factory=dict)


def field_labels(compiled: Compiled) -> Labels:
    """The labels of all forms of a version, in the reader's language."""
    labels = Labels()

    def walk(components) -> None:
        for component in components:
            key = component.path[-1] if component.path else None
            label = (None if in_chinese() else component.attributes.get("label_en")) or component.label
            if key and isinstance(label, str) and label:
                labels.fields.setdefault(key, label)
            for option in (component.choices.static or ()) if component.choices else ():
                labels.options[key, str(option.value)] = (None if in_chinese() else option.label_en) or option.label
            walk(component.children)

    for form in compiled.forms.values():
        walk(form.fields)
    return labels


def chapters(variables: dict, compiled: Compiled, labels: Labels) -> list[tuple[str, list[tuple[str, str]]]]:
    """A case's data as (task, lines) in the order of the procedure: each value where a form first asks for it.

    What no form calls by a name comes last, under an empty title: the procedure works it out for itself.
    """
    left = dict(variables)
    found = []
    for element in compiled.process.elements.values():
        form = compiled.forms.get(element.form_id)
        keys = [key for key in (_keys(form.fields) if form else ()) if key in left and key in labels.fields]
        lines = [(labels.fields[key], text_of(left.pop(key), labels, key)) for key in dict.fromkeys(keys)]
        found.append((element_name(element), [line for line in lines if line[1] != NOTHING]))
    found.append(("", [(key, text_of(value, labels, key)) for key, value in sorted(left.items())]))
    return [(title, lines) for title, lines in found if lines]


def _keys(components):
    """The variables of a form, in reading order; those inside a list belong to the list."""
    for component in components:
        if component.path:
            yield component.path[0]
        if component.kind != "dynamiclist":
            yield from _keys(component.children)


def told(data: dict, labels: Labels) -> list[tuple[str, str]]:
    """Stored data (FEEL's tagged JSON) as (label, text). What a form calls by a name comes first, the rest after."""
    try:
        values = feel.decode(data)
    except (ValueError, TypeError, KeyError, feel.FeelError):
        values = data
    if isinstance(values, dict) and len(values) == 1:
        [(name, inner)] = values.items()
        if name == "values":
            values = inner
        elif name in ("conditions", "facts") and isinstance(inner, list):  # of a gateway, of a regulation: what it looked at
            values = {}
            for each in inner:
                values |= (each.get("inputs") or {}) if name == "conditions" else each
    if not isinstance(values, dict):
        return []
    ordered = sorted(values.items(), key=lambda pair: pair[0] not in labels.fields)
    return [(labels.fields.get(name, name), text_of(value, labels, name)) for name, value in ordered]


def text_of(value, labels: Labels | None = None, key: str = "") -> str:
    """A FEEL value for people: options by their labels, times in the county's zone, lists joined, contexts named, truth in words."""
    labels = labels or Labels()
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return gettext("是") if value else gettext("否")
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return day(value)
    if isinstance(value, list):
        between = "\n" if any(isinstance(each, dict) for each in value) else gettext("、")
        return between.join(text_of(each, labels, key) for each in value) or NOTHING
    if isinstance(value, dict):
        order = {name: place for place, name in enumerate(labels.fields)}
        named_parts = [(name, each) for name, each in value.items() if name != parties.ID]
        parts = sorted(named_parts, key=lambda pair: order.get(pair[0], len(order)))
        return gettext("；").join(f"{labels.fields.get(name, name)}{gettext('：')}{text_of(each, labels, name)}" for name, each in parts)
    plain = value if isinstance(value, str) else str(feel.to_plain(value))
    return labels.options.get((key, plain), plain)


def _details(line: dict, compiled: Compiled, people: dict[str, str]) -> list[tuple[str, str]]:
    """The facts of a line that say something to people."""
    facts, kind = line["facts"], line["kind"]
    found = []
    if kind == "gateway:decided":
        taken = [compiled.process.flows.get(flow) for flow in facts.get("flows", ())]
        found.append((gettext("走向"), text_of([flow_name(flow, compiled) for flow in taken if flow])))
    if kind == "decision:evaluated":
        found += _decided(compiled.decisions.get(str(facts.get("decision"))), facts)
    if kind in GIVEN:
        found.append((gettext("交给"), people.get(facts.get("to") or "", "")))
    if kind == "task:not_moved":
        found.append((gettext("原因"), words.kept_because(facts.get("code", ""))))
    if kind == "task:assigned":
        found.append((gettext("原因"), text_of(facts.get("why" if in_chinese() else "why_en", []))))
    if kind == "regulation:checked":
        waived = gettext("（已豁免）")
        rules = [str(each.get("rule")) + (waived if each.get("waived") else "") for each in facts.get("verdicts", ())]
        found.append((gettext("规则"), text_of(rules)))
    if kind.startswith("waiver:"):
        found.append((gettext("规则"), str(facts.get("rule", ""))))
        found.append((gettext("谁办理"), people.get(facts.get("person") or "", "")))
        found.append((gettext("有效至"), moment(facts.get("until"))))
    if kind == "incident:raised":
        found.append((gettext("原因"), str(facts.get("message") or facts.get("code", ""))))
    if kind.startswith(("message:", "signal:")) and facts.get("name"):
        found.append((gettext("名称"), str(facts["name"])))
    if kind.startswith(("error:", "escalation:")) or kind == "case:failed":
        found.append((gettext("代码"), str(facts.get("code", ""))))
    if kind.startswith("job:"):
        found.append((gettext("作业类型"), str(facts.get("type", ""))))
    if kind == "job:activated":
        found.append((gettext("程序"), str(facts.get("worker", ""))))
    if kind == "case:called":
        found.append((gettext("个案"), str(facts.get("number", ""))))
    if kind == "operation:moved" and (flow := compiled.process.flows.get(facts.get("flow") or "")):
        found.append((gettext("走向"), flow_name(flow, compiled)))
    if kind == "operation:corrected":
        found.append((gettext("数据项"), text_of([str(name) for name in facts.get("names", ())])))
    if kind == "timer:failed":
        found.append((gettext("原因"), str(facts.get("error", ""))))
    return [(label, text[:LONGEST]) for label, text in found if text]


def _decided(decision, facts: dict) -> list[tuple[str, str]]:
    """Which table decided and which of its rows matched, counted as the table is read, with what its author noted there."""
    key, hit = str(facts.get("decision", "")), facts.get("rules", ())
    rows = {rule.id: (number, rule) for number, rule in enumerate(decision.rules if decision else (), 1)}
    if not all(rule in rows for rule in hit):
        return [(gettext("决策表"), key), (gettext("命中规则"), text_of([str(rule) for rule in hit]))]
    matched = []
    for number, rule in (rows[each] for each in hit):
        note = rule.annotations[0] if in_chinese() and rule.annotations else ""
        matched.append(gettext("第 %(n)s 行", n=number) + (f" {note}" if note else ""))
    name = decision.name if decision and decision.name and in_chinese() else key.replace("_", " ")
    return [(gettext("决策表"), name), (gettext("命中规则"), text_of(matched))]
