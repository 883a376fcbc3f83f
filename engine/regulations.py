"""The station's regulations: decision tables that look at what somebody is about to do and say what they think of it. Pure.

A regulation is one DMN file whose top decision is a table with hit policy COLLECT (or RULE ORDER). Its inputs are expressions
over the facts of a check point, each row is one rule in one situation, and its outputs are

    rule         stable name, e.g. plan_signed        effect    block | waiver | warn | task
    message      what is wrong, in Chinese            hint      what would make it pass, in Chinese
    message_en, hint_en, source (statute or 站内默认), waivable_by (a role), notify (a role), hours (a number)

`block` stops the act. `waiver` stops it until somebody of the role `waivable_by` has waived the rule for this case. `warn` is shown
and recorded. `task` is recorded as something that must follow; where it names whom to `notify`, they have an alert on their page until they
say what they did about it, and after `hours` the clock looks whether they did (engine.commands.judging, engine.commands.clock).

Facts, as FEEL values (`check` fills in what is missing, so that tables need not ask whether it is there):

    point    "start" (the first form of a case is completed) | "assign" (claim, delegate) | "complete"
             "open" (a record of a register is made or opened) | "clock" (time has passed) | "month" "quarter" "year" (one has ended at
             a unit); at these four nothing is stopped
    person   {id, roles: list, workforce, partner, unit, station, …}: who acts, or who is to be assigned
    task     {element, stage, tags: list, data, fields}: stage and tags from the element's properties; data as it would be stored
    case     {id, definition, place, started_at, variables, stages_done: list, authors: {tag: list of person ids}, waivers: list}
             stages_done: stages of which a task without the tag `reminder` was completed
             authors: who completed tasks with that tag; a task tagged `approval` counts there alone, an approver is no author
    values   the case's variables with task.data laid over them: what the case will hold
    record   {kind, …} at "open" and "clock": what is opened or looked at. outing: {minutes_late}; alert: {rule, hours_late};
             entry of a register: {register, days_left, id, since, until, in_force, …its fields}, and `entry`, the same with its own `kind`;
             days_left (at "clock" only) is below 0 once it has lapsed; at "open" it is being added or changed
    outing   {people: number}: how many go on this outing; of a task, how many went on the person's outing for its case, 0 for none
    parameters   the county's or station's numbers by key
    now      a date and time
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine import feel
from engine.decisions import Decision, Decisions, compile_decisions
from engine.decisions.narrowing import looks, narrowing
from engine.decisions.table import Narrowing
from engine.exceptions import DeployRefused
from engine.findings import Finding

POINTS = ("start", "assign", "complete", "open", "clock", "month", "quarter", "year")
PERIODS = ("month", "quarter", "year")
UNSTOPPABLE = frozenset({"clock", *PERIODS})  # what has happened already cannot be refused
EFFECTS = ("block", "waiver", "warn", "task")
REQUIRED = ("rule", "effect", "message", "message_en")
OPTIONAL = ("hint", "hint_en", "source", "waivable_by", "notify", "hours")
NOTIFIED = ("lead", "supervisor")  # whose page has alerts
# The facts that say what kind of act it is. Rows that speak of other kinds need not be looked at.
SETTLED = (("task", "element"), ("task", "stage"), ("task", "tags"), ("task", "fields"), ("record", "kind"), ("record", "register"))
DATA = ("task", "data")
KINDS = frozenset({"point", "record.kind", "record.register"})  # what this product may have more of than a county's table knows

# Defaults of the facts: lists and contexts that tables look into.
_PERSON = {"roles": []}
_TASK = {"tags": [], "data": {}}
_CASE = {"stages_done": [], "authors": {}, "variables": {}, "waivers": []}
_OUTING = {"people": 0}
_DEFAULTS = {"person": _PERSON, "task": _TASK, "case": _CASE, "record": {}, "outing": _OUTING}
_HOSTS = frozenset({set, frozenset, tuple})
_LITERAL = re.compile(r'\s*"([^"\\]*)"\s*\Z')
_LONGEST_FACT = 40


@dataclass(frozen=True)
class Verdict:
    """What one row of a regulation says. `table`, `version`: the regulation used; `row`: the id of its row; `facts`: label →
    plain value of each input the row looked at (long texts and structures are left out); `waived`: a waiver covers it. `notify`: the role
    that has to act (NOTIFIED), within `hours`."""

    rule: str
    effect: str
    message: str
    message_en: str
    source: str
    waivable_by: str | None
    table: str
    version: str
    facts: dict[str, Any] = field(default_factory=dict)
    hint: str = ""
    hint_en: str = ""
    row: str = ""
    waived: bool = False
    notify: str | None = None
    hours: Decimal | None = None

    @property
    def blocks(self) -> bool:
        """Whether the act must not happen."""
        return self.effect == "block" or (self.effect == "waiver" and not self.waived)


def blocking(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The verdicts that stop the act, in their order."""
    return [verdict for verdict in verdicts if verdict.blocks]


class Regulation:
    """One compiled regulation in one version. `key`: the id of its decision, e.g. service_process."""

    def __init__(self, decisions: Decisions, decision: Decision, version: str):
        self.key, self.name, self.version = decision.id, decision.name, version
        self.decisions, self.decision = decisions, decision
        self._within: Narrowing | None = None
        # For each row the columns it looks at: what a verdict shows as its reason.
        self._looks_at = {
            rule.id: [
                (column.label, index)
                for index, (column, cell) in enumerate(zip(decision.inputs, rule.inputs, strict=True))
                if looks(cell)
            ]
            for rule in decision.rules
        }

    def narrowed(
        self,
        point: str,
        kind: Mapping[tuple[str, str], Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        absent: frozenset[str] = frozenset(),
    ) -> "Regulation":
        """The same regulation, of which only the rows count that can speak at a check point about one `kind` of act (as `settled` gives it),
        by these `parameters`; without them, by any. `absent`: fields that the task's form was not answered with."""
        context: dict[str, Any] = {"point": point, "parameters": parameters or {}}
        for (root, name), value in (kind or {}).items():
            context.setdefault(root, {})[name] = value
        known = {("point",), *(kind or ())}

        def is_known(path: tuple[str, ...]) -> bool:
            if path[:2] == DATA:
                return len(path) > 2 and path[2] in absent
            return path in known or (parameters is not None and path[0] == "parameters")

        narrow = copy(self)
        narrow._within = narrowing(self.decision, context, is_known, KINDS)
        return narrow

    def is_settled(self, column: int) -> bool:
        """Whether a column's value is known by what it was narrowed to."""
        return self._within is not None and column in self._within.values

    @property
    def rows(self) -> list:
        """The rows that count, in their order."""
        within = self._within
        return [rule for position, rule in enumerate(self.decision.rules) if within is None or within.alive >> position & 1]

    @property
    def rules(self) -> list[str]:
        """The ids of its rules, in the order of their first rows."""
        return list(dict.fromkeys(self.rule_of(row.id) for row in self.decision.rules))

    def rule_of(self, row: str) -> str:
        """The rule that a row belongs to."""
        return self._literal(row, "rule")

    def effect_of(self, row: str) -> str:
        """What follows where a row speaks: one of EFFECTS."""
        return self._literal(row, "effect")

    def _literal(self, row: str, output: str) -> str:
        names = [each.name for each in self.decision.outputs]
        return _LITERAL.match(self.decision.rule(row).outputs[names.index(output)].text)[1]

    def verdicts(self, facts: Mapping[str, Any], clock: datetime | None, waivers: frozenset[str]) -> Iterable[Verdict]:
        """What the table says of these (complete) facts. Raises DecisionFailed."""
        outcome = self.decision.decide(facts, clock, lazy=True, within=self._within)
        for row, values in zip(outcome.matched, outcome.result or [], strict=True):
            shown = {label: _shown(outcome.inputs[index]) for label, index in self._looks_at[row]}
            yield Verdict(
                rule=values["rule"],
                effect=values["effect"],
                message=values["message"],
                message_en=values["message_en"],
                source=values.get("source") or "",
                waivable_by=values.get("waivable_by") or None,
                table=self.key,
                version=self.version,
                facts=shown,
                hint=values.get("hint") or "",
                hint_en=values.get("hint_en") or "",
                row=row,
                waived=values["rule"] in waivers,
                notify=values.get("notify") or None,
                hours=values.get("hours"),
            )


def compile_regulation(xml: bytes, file: str | None = None, version: str | None = None) -> Regulation:
    """Compile a regulation file. `version`: its name in verdicts; without it the head of the content's SHA-256.

    Raises DeployRefused: what engine.decisions refuses, and a table whose outputs are not those of a regulation.
    """
    decisions = compile_decisions(xml, file)
    tops = [decision for decision in decisions.decisions.values() if decision.hit_policy]
    asked = {below.id for decision in decisions.decisions.values() for below in decision.required}
    tops = [decision for decision in tops if decision.id not in asked]
    if len(tops) != 1:
        found = Finding(
            "regulation_table", "制度文件要有且只有一张主表", "A regulation needs exactly one main table", decisions.id, file
        )
        raise DeployRefused([found])
    findings = list(_faults(tops[0], file))
    if findings:
        raise DeployRefused(findings)
    return Regulation(decisions, tops[0], version or hashlib.sha256(xml).hexdigest()[:12])


class Tables:
    """The regulations in force, in the order of their keys."""

    def __init__(self, regulations: Iterable[Regulation] = ()):
        self.regulations = tuple(sorted(regulations, key=lambda regulation: regulation.key))

    @classmethod
    def load(cls, directory: str | Path) -> "Tables":
        """Every .dmn file of a directory."""
        return cls(compile_regulation(path.read_bytes(), path.name) for path in sorted(Path(directory).glob("*.dmn")))

    def narrowed(self, *about) -> "Tables":
        """Those that can say anything about a kind of act, each narrowed to the rows that can; takes what Regulation.narrowed does."""
        found = (regulation.narrowed(*about) for regulation in self.regulations)
        return Tables(regulation for regulation in found if regulation.rows)

    def __iter__(self):
        return iter(self.regulations)

    def __getitem__(self, key: str) -> Regulation:
        return {regulation.key: regulation for regulation in self.regulations}[key]


def settled(facts: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    """What kind of act some facts are about: SETTLED → value, as FEEL has it."""
    found = {(root, name): (facts.get(root) or {}).get(name) for root, name in SETTLED}
    found["task", "tags"] = list(found["task", "tags"] or ())
    return found


def check(tables: Tables, point: str, facts: Mapping[str, Any], clock: datetime | None = None) -> list[Verdict]:
    """Every verdict of every table for an act at `point`, in the order of tables and rows.

    `clock`: the act's time, for now() and today() in cells. Raises DecisionFailed where a table cannot answer: what no rule
    could judge does not happen.
    """
    return said(tables, completed(point, facts, clock), clock)


def said(tables: Tables, complete: Mapping[str, Any], clock: datetime | None) -> list[Verdict]:
    """The same of facts that are `completed`."""
    waivers = frozenset(complete["case"]["waivers"])
    return [verdict for regulation in tables for verdict in regulation.verdicts(complete, clock, waivers)]


def completed(point: str, facts: Mapping[str, Any], clock: datetime | None) -> dict[str, Any]:
    """The facts as the tables see them: with defaults where nothing is known, and `values`."""
    if point not in POINTS:
        raise ValueError(f"unknown check point {point}")
    complete = dict(facts)
    complete["parameters"] = facts.get("parameters") or {}
    for name, defaults in _DEFAULTS.items():
        given = {
            key: _listed(value) if value.__class__ in _HOSTS else value
            for key, value in (facts.get(name) or {}).items()
            if value is not None
        }
        complete[name] = {**defaults, **given}
    complete["point"] = point
    if "values" not in complete:  # facts that were kept hold what they were
        complete["values"] = {**complete["case"]["variables"], **complete["task"]["data"]}
    complete.setdefault("now", clock)
    return complete


def _listed(value):
    """Sets and tuples of the host as lists, in a fixed order."""
    return list(value) if isinstance(value, tuple) else sorted(value)


def _shown(value):
    """A fact as a verdict may show it: plain, short, and not the texts somebody wrote about a person."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_FACT else f"（{len(value)} 字）"
    if isinstance(value, list):
        return [_shown(item) for item in value[:20]]
    if isinstance(value, dict | feel.FeelFunction):
        return "（…）"
    return feel.to_plain(value) if isinstance(value, Decimal) else str(feel.to_plain(value))


def _faults(decision: Decision, file: str | None) -> Iterable[Finding]:
    """What makes a table no regulation."""
    if decision.hit_policy not in ("C", "R") or decision.aggregation:
        yield Finding(
            "regulation_hit_policy",
            "制度表的命中策略应为 COLLECT（不汇总）或 RULE ORDER",
            "A regulation's hit policy is COLLECT without aggregation, or RULE ORDER",
            decision.id,
            file,
        )
    names = [output.name for output in decision.outputs]
    for name in REQUIRED:
        if name not in names:
            yield Finding("regulation_output", f"制度表缺少输出列“{name}”", f'The output column "{name}" is missing', decision.id, file)
    for output in decision.outputs:
        if output.name not in REQUIRED + OPTIONAL:
            yield Finding("regulation_output", f"制度表没有“{output.name}”这样的输出列", "Unknown output column", output.id, file)
    if not set(REQUIRED) <= set(names):
        return
    for rule in decision.rules:
        for name in REQUIRED:
            cell = rule.outputs[names.index(name)]
            literal = _LITERAL.match(cell.text)
            if name in ("rule", "effect") and not literal:
                yield Finding("regulation_cell", f"“{name}”要直接写成文字", f'"{name}" must be a plain string', cell.id, file)
            elif name == "effect" and literal[1] not in EFFECTS:
                yield Finding(
                    "regulation_effect",
                    f"效果“{literal[1]}”应为 block、waiver、warn 或 task",
                    "The effect must be block, waiver, warn or task",
                    cell.id,
                    file,
                )
            elif not cell.text.strip(" -\n") or (literal and not literal[1].strip()):
                yield Finding("regulation_cell", f"“{name}”不能空着", f'"{name}" must not be empty', cell.id, file)
        if "notify" in names:
            cell = rule.outputs[names.index("notify")]
            literal = _LITERAL.match(cell.text)
            if cell.text.strip(" -\n") and not (literal and literal[1] in NOTIFIED):
                yield Finding("regulation_notify", "“notify”应为 lead 或 supervisor", '"notify" must be "lead" or "supervisor"', cell.id, file)
