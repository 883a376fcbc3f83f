"""Reads what an event catches or throws, with the messages, signals, errors and escalations of the file that it refers to."""

import re

from lxml import etree

from engine.workflow.admit import bare, place, split
from engine.workflow.dialect import NAMESPACES, Dialect
from engine.workflow.faults import FIELDS
from engine.workflow.formula import Formula
from engine.workflow.model import EventRule, Kind, Trigger
from engine.workflow.report import Report
from engine.workflow.timing import Interval
from engine.workflow.vocabulary import BPMN, DEFINITIONS, TRIGGERS

CATCHING = frozenset({Kind.START, Kind.CATCH, Kind.BOUNDARY, Kind.RECEIVE_TASK})
EVENTS = frozenset({Kind.START, Kind.END, Kind.CATCH, Kind.THROW, Kind.BOUNDARY})
# Attributes of a definition: what the engine goes by.
_NAMES = {Trigger.MESSAGE: "name", Trigger.SIGNAL: "name", Trigger.ERROR: "errorCode", Trigger.ESCALATION: "escalationCode"}
_LITERAL = re.compile(r'=\s*"([^"\\]*)"')


class Triggers:
    """The definitions of one file, and the events that use them."""

    def __init__(self, root: etree._Element, dialect: Dialect, report: Report):
        self.dialect, self.report = dialect, report
        self._defined = {(word, node.get("id")): node for word in DEFINITIONS for node in root.iterchildren(f"{{{BPMN}}}{word}")}

    def fields(self, node: etree._Element, kind: Kind, opens_process: bool) -> dict:
        """`event` and `job` of an event or a task that sends, receives or is done by a program, as fields of an `Element`.

        `opens_process`: it is a start event of the process itself.
        """
        job = self.dialect.job(node) if kind in (Kind.SERVICE_TASK, Kind.SEND_TASK, Kind.END, Kind.THROW) else None
        if kind in EVENTS:
            event = self._event(node, kind, job is not None, opens_process)
            if job and (event is None or event.trigger is not Trigger.MESSAGE):
                self.report.add("idle_job", place(node))
        elif kind in (Kind.SEND_TASK, Kind.RECEIVE_TASK):
            event = self._message(node, node, kind, job is not None)
        else:
            event = None
            if kind is Kind.SERVICE_TASK and job is None and self.dialect.extension(node, "taskDefinition") is None:
                self.report.add("no_job", place(node))
        return {"event": event, "job": job}

    def _event(self, node: etree._Element, kind: Kind, is_job: bool, opens_process: bool) -> EventRule | None:
        definitions = [child for child in node if split(child.tag)[1] in TRIGGERS]
        if len(definitions) > 1:
            self.report.add("several_events", place(node))
        if not definitions:
            if kind in (Kind.CATCH, Kind.BOUNDARY):
                self.report.add("no_event", place(node))
            return None
        definition = definitions[0]
        trigger = TRIGGERS[split(definition.tag)[1]]
        match trigger:
            case Trigger.TIMER:
                return EventRule(trigger, timer=self.dialect.timer(node, definition))
            case Trigger.CONDITION:
                return EventRule(trigger, condition=self._condition(node, definition))
            case Trigger.TERMINATE:
                return EventRule(trigger)
            case Trigger.LINK:
                return EventRule(trigger, name=self._link(node, definition))
            case Trigger.MESSAGE:
                return self._message(node, definition, kind, is_job, opens_process)
            case Trigger.SIGNAL:
                found = self._definition(node, definition, "signal")
                return EventRule(trigger, name=self._name(node, found, trigger, opens_process))
        return self._code(node, definition, trigger, kind in CATCHING)

    def _condition(self, node: etree._Element, definition: etree._Element) -> Formula | None:
        text = definition.findtext("b:condition", "", NAMESPACES)
        if not (text or "").strip():
            self.report.add("no_event_condition", place(node))
        return self.dialect.formula(node, text, "event_condition", needs_feel=True)

    def _link(self, node: etree._Element, definition: etree._Element) -> Formula | None:
        name = (definition.get("name") or "").strip()
        if not name:
            self.report.add("no_link_name", place(node))
            return None
        return Formula(name)

    def _message(
        self, node: etree._Element, holder: etree._Element, kind: Kind, is_job: bool, opens_process: bool = False
    ) -> EventRule | None:
        """`holder` has the messageRef. What a program sends needs none."""
        if is_job and not holder.get("messageRef"):
            return EventRule(Trigger.MESSAGE)
        found = self._definition(node, holder, "message")
        name = self._name(node, found, Trigger.MESSAGE, opens_process)
        box = None if found is None else self.dialect.extension(found, "subscription")
        text = None if box is None else box.get("correlationKey")
        lifetime = None
        if kind not in CATCHING:
            properties = self.dialect.properties(node)
            text = properties.get("correlationKey") or text
            lifetime = self._lifetime(node, properties.get("timeToLive"))
        elif found is not None and not opens_process and not (text or "").strip():
            self.report.add("no_correlation_key", place(node), name=found.get("name") or found.get("id"))
        key = None if opens_process else self.dialect.formula(node, text, "key", needs_feel=True)
        return EventRule(Trigger.MESSAGE, name=name, key=key, lifetime=lifetime)

    def _lifetime(self, node: etree._Element, text: str | None) -> Formula | None:
        formula = self.dialect.formula(node, text, "lifetime")
        if formula and formula.expression is None:
            try:
                Interval.read(formula.text)
            except ValueError as error:
                reason = str(error), "write a duration such as PT1H"
                self.report.add("bad_lifetime", place(node), reason=reason)
        return formula

    def _code(self, node: etree._Element, definition: etree._Element, trigger: Trigger, catches: bool) -> EventRule:
        """An error or an escalation. What catches and refers to nothing catches every code."""
        if catches and not definition.get(f"{trigger}Ref"):
            return EventRule(trigger)
        found = self._definition(node, definition, trigger.value)
        return EventRule(trigger, name=self._name(node, found, trigger, fixed=catches))

    def _definition(self, node: etree._Element, holder: etree._Element, word: str) -> etree._Element | None:
        """What an attribute like messageRef refers to."""
        reference = bare(holder.get(DEFINITIONS[word]))
        found = self._defined.get((word, reference))
        if not reference:
            self.report.add("no_definition", place(node), what=FIELDS[word])
        elif found is None:
            self.report.add("dangling_reference", place(node), name=reference)
        return found

    def _name(self, node: etree._Element, found: etree._Element | None, trigger: Trigger, fixed: bool) -> Formula | None:
        """The name or code of a definition; a FEEL text without more is as good as a fixed one."""
        if found is None:
            return None
        text = (found.get(_NAMES[trigger]) or "").strip()
        if not text:
            self.report.add("no_name", place(node), name=found.get("id"), what=FIELDS[trigger.value])
            return None
        if literal := _LITERAL.fullmatch(text):
            return Formula(literal[1])
        formula = self.dialect.formula(node, text, trigger.value)
        if fixed and formula and formula.expression:
            self.report.add("must_be_fixed", place(node), what=FIELDS[trigger.value])
        return formula
