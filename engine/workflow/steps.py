"""What a case did, in order: the facts anyone may audit, and the data that only the case's key opens."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.workflow.model import Element

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
        "timer:fired",  # facts: timer, due, next
        "timer:cancelled",  # facts: timer
        "timer:moved",  # facts: timer, due, was
        "wait:opened",  # facts: groups, due, follow_up, priority; data: people (assignee first, then candidates)
        "wait:completed",  # its values follow as variable:set
        "wait:cancelled",
        "wait:moved",  # facts: due, follow_up
        "incident:raised",  # facts: code, message
        "incident:resolved",  # facts: code
        "case:started",  # facts: start
        "case:completed",
        "case:cancelled",  # data: reason
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


@dataclass(frozen=True)
class Incident:
    """A token that cannot go on. `code` is stable, `message` Chinese and free of personal data."""

    token: int
    element: Element | None
    code: str
    message: str
    since: datetime
