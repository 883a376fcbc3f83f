"""What a case did, in order: the facts anyone may audit, and the data that only the case's key opens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from engine.workflow.model import Element, Process, Trigger
from engine.workflow.state import TimerState, Token

KINDS = frozenset(
    {
        "element:entered",  # facts: visit, round (in a loop)
        "element:completed",
        "element:cancelled",  # facts: by (the element that did it; absent when the whole case was cancelled)
        "flow:taken",  # facts: flow, target
        "gateway:decided",  # facts: flows, default; data: conditions [{flow, result, inputs}]
        "join:waiting",  # facts: flow
        "join:fired",  # facts: flows
        "loop:started",
        "loop:decided",  # facts: round, again; data: result, inputs
        "decision:evaluated",  # facts: decision, rules; data: inputs, result
        "script:evaluated",  # facts: variable; data: inputs, result
        "variable:set",  # facts: names, local; data: values
        "timer:set",  # facts: timer, due, repeats
        "timer:fired",  # facts: timer, due, next, missed (occurrences that this one stands for besides)
        "timer:cancelled",  # facts: timer
        "timer:moved",  # facts: timer, due, was
        "wait:opened",  # facts: groups, due, follow_up, priority; data: people (assignee first, then candidates)
        "wait:completed",  # its values follow as variable:set
        "wait:cancelled",
        "wait:moved",  # facts: due, follow_up
        "message:awaited",  # facts: subscription, name; data: key
        "message:caught",  # facts: subscription, name
        "message:sent",  # facts: name; data: key, values
        "signal:awaited",  # facts: subscription, name
        "signal:caught",  # facts: subscription, name
        "signal:sent",  # facts: name; data: values
        "condition:awaited",  # facts: subscription
        "condition:met",  # facts: subscription; data: inputs
        "wait:over",  # facts: subscription; it ended without having been met
        "error:thrown",  # facts: code
        "error:caught",  # facts: code, from
        "escalation:thrown",  # facts: code, caught (whether anything did)
        "escalation:caught",  # facts: code, from
        "link:followed",  # facts: target
        "job:created",  # facts: type, retries
        "job:completed",  # facts: type
        "job:failed",  # facts: type, retries; data: message
        "job:cancelled",  # facts: type
        "call:started",  # facts: process
        "call:completed",  # facts: process
        "call:cancelled",  # facts: process
        "instances:started",  # facts: total
        "instances:decided",  # facts: done, over; data: inputs
        "instances:completed",  # facts: done, total
        "instances:cancelled",
        "token:moved",  # by hand; facts: flow
        "variable:corrected",  # by hand; facts: names; data: values
        "incident:raised",  # facts: code, message
        "incident:resolved",  # facts: code
        "case:started",  # facts: start
        "case:completed",
        "case:cancelled",  # data: reason
        "case:failed",  # a called case, by an error that nothing in it caught; facts: code
    }
)


@dataclass(frozen=True)
class Step:
    """`facts` hold no personal data; `data` goes to the sealed part. Both are JSON-able, values in FEEL's tagged JSON."""

    kind: str
    element: str | None
    token: int | None
    facts: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Wait:
    """An open user task. `visit` counts how often its element was entered."""

    token: int
    element: Element
    since: datetime
    assignee: str | None
    candidate_groups: list[str]
    candidate_users: list[str]
    due: datetime | None
    follow_up: datetime | None
    priority: int
    visit: int

    @classmethod
    def of(cls, token: Token, process: Process) -> "Wait":
        """From a token that has an offer."""
        offer = token.offer
        return cls(
            token=token.id,
            element=process.elements[token.element],
            since=token.since,
            assignee=offer.assignee,
            candidate_groups=list(offer.candidate_groups),
            candidate_users=list(offer.candidate_users),
            due=offer.due,
            follow_up=offer.follow_up,
            priority=offer.priority,
            visit=token.visit,
        )


@dataclass(frozen=True)
class Timer:
    """A due time that the host must watch. `remaining`: repeats after this one, None for ever."""

    id: int
    token: int
    element: Element
    due: datetime
    remaining: int | None
    calendar_based: bool
    since: datetime

    @classmethod
    def of(cls, alarm: TimerState, process: Process) -> "Timer":
        """From what the state holds of it."""
        event = process.elements[alarm.element]
        repeating = alarm.interval and event.repeats
        remaining = (None if alarm.repeats is None else alarm.repeats - alarm.fired - 1) if repeating else 0
        return cls(alarm.id, alarm.token, event, alarm.due, remaining, event.timer.formula.is_calendar_based, alarm.since)


@dataclass(frozen=True)
class Subscription:
    """A message or signal that is waited for. `key`: only the message with this correlation key."""

    id: int
    token: int
    element: Element
    trigger: Trigger
    name: str
    key: str | None
    since: datetime


@dataclass(frozen=True)
class Job:
    """Work that waits for a program. `retries`: how often it may still fail."""

    token: int
    element: Element
    type: str
    retries: int
    headers: Mapping[str, str]
    since: datetime


@dataclass(frozen=True)
class Call:
    """An element that waits for a case of the procedure `process_id`."""

    token: int
    element: Element
    process_id: str
    since: datetime


@dataclass(frozen=True)
class Outgoing:
    """What a case asks of the world outside. Fields that its kind does not have are empty.

    kind: message (name, key, lifetime) | signal (name) | call (token, name: the procedure) | call_cancelled (token) and, of a called case
    for its caller, error | escalation (name: the code). `variables` are FEEL values.
    """

    kind: str
    token: int
    name: str = ""
    key: str | None = None
    lifetime: timedelta | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Incident:
    """A token that cannot go on. `code` is stable, `message` Chinese and free of personal data."""

    token: int
    element: Element | None
    code: str
    message: str
    since: datetime
