"""What is stored of a running case: tokens, timers and variables as plain JSON, never the procedure. Finished branches leave nothing.

Format 1:
    {"format": 1, "process": id, "status": active|incident|completed|cancelled, "next": next free number,
     "visits": {element id: how often entered}, "tokens": [token], "timers": [timer]}
A token lacks the keys that are empty. Variables are FEEL's tagged JSON; instants are ISO text at UTC.
A later format gets its own number, a reader of this one, and a stored sample in the tests.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from engine.exceptions import StateUnreadable
from engine.workflow.variables import Variables

FORMAT = 1
ROOT = 1  # number of the token that is the case itself


class Stage(StrEnum):
    """Where in its element a token is; `retry` goes on exactly there."""

    ENTERING = "entering"  # inputs and boundary timers still to be made
    ACTING = "acting"  # the element's own work
    WAITING = "waiting"  # for a person or a timer
    INSIDE = "inside"  # its children are at work
    LOOPING = "looping"  # between two rounds of a loop
    LEAVING = "leaving"  # outputs and the choice of ways


@dataclass(frozen=True)
class Fault:
    """Why a token does not go on. `element` differs from the token's own where a scope is stuck inside."""

    element: str | None
    code: str
    message: str
    since: datetime


@dataclass(frozen=True)
class Offer:
    """A user task's fields as evaluated when it opened."""

    assignee: str | None = None
    candidate_groups: tuple[str, ...] = ()
    candidate_users: tuple[str, ...] = ()
    due: datetime | None = None
    follow_up: datetime | None = None
    priority: int = 50


@dataclass
class Token:
    """An element at work. The case, subprocesses and loops are tokens too: scopes, in which other tokens are.

    `element` is None for the case itself. `arrived` counts, by flow, tokens that wait in this scope before a join.
    """

    id: int
    element: str | None
    parent: int | None
    stage: Stage
    since: datetime
    visit: int = 0
    is_loop: bool = False
    rounds: int = 0
    variables: Variables = field(default_factory=Variables)
    arrived: dict[str, int] = field(default_factory=dict)
    offer: Offer | None = None
    fault: Fault | None = None


@dataclass
class TimerState:
    """A time at which `token` is to be woken. `anchor` and `interval` (ISO text) make the repeats, `fired` counts those past."""

    id: int
    token: int
    element: str
    due: datetime
    since: datetime
    anchor: datetime | None = None
    interval: str | None = None
    repeats: int | None = None  # None: for ever, if there is an interval
    fired: int = 0


def dump(case) -> dict:
    """The stored form of a `Case`."""
    return {
        "format": FORMAT,
        "process": case.process.id,
        "status": case.ended or case.status,
        "next": case.next_id,
        "visits": dict(case.visits),
        "tokens": [_dump_token(token) for token in case.tokens.values()],
        "timers": [_dump_plain(timer) for timer in case.alarms.values()],
    }


def load(case, state: dict) -> None:
    """Fill an empty `Case`. Raises StateUnreadable when the state is of another format or of another procedure."""
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise StateUnreadable(reason=f"格式 {state.get('format') if isinstance(state, dict) else '?'}")
    try:
        case.next_id = state["next"]
        case.visits = dict(state["visits"])
        case.tokens = {entry["id"]: _load_token(entry) for entry in state["tokens"]}
        case.alarms = {entry["id"]: TimerState(**_instants(entry, "due", "since", "anchor")) for entry in state["timers"]}
        case.ended = state["status"] if state["status"] in ("completed", "cancelled") else None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateUnreadable(reason=type(error).__name__) from error
    elements = {t.element for t in case.tokens.values() if t.element} | {t.element for t in case.alarms.values()}
    flows = {flow for token in case.tokens.values() for flow in token.arrived}
    missing = sorted(elements - case.process.elements.keys() | flows - case.process.flows.keys())
    if missing:
        raise StateUnreadable(reason=f"流程版本里没有 {missing[0]}")


def _dump_token(token: Token) -> dict:
    entry = {"id": token.id, "element": token.element, "parent": token.parent, "stage": token.stage.value}
    entry["since"] = token.since.isoformat()
    for name in ("visit", "rounds", "is_loop", "arrived"):
        if value := getattr(token, name):
            entry[name] = value if name != "arrived" else dict(value)
    if stored := token.variables.stored():
        entry["variables"] = dict(stored)
    for name in ("offer", "fault"):
        if part := getattr(token, name):
            entry[name] = _dump_plain(part)
    return entry


def _load_token(entry: dict) -> Token:
    entry = _instants(entry, "since")
    entry["stage"] = Stage(entry["stage"])
    entry["variables"] = Variables(entry.get("variables"))
    entry["arrived"] = dict(entry.get("arrived", {}))
    if offer := entry.get("offer"):
        lists = {name: tuple(offer.get(name, ())) for name in ("candidate_groups", "candidate_users")}
        entry["offer"] = Offer(**(_instants(offer, "due", "follow_up") | lists))
    if fault := entry.get("fault"):
        entry["fault"] = Fault(**({"element": None} | _instants(fault, "since")))
    return Token(**entry)


def _dump_plain(part) -> dict:
    return {name: _plain(value) for name, value in vars(part).items() if value not in (None, ())}


def _plain(value):
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return list(value) if isinstance(value, tuple) else value


def _instants(entry: dict, *names: str) -> dict:
    return entry | {name: datetime.fromisoformat(entry[name]) for name in names if name in entry}
