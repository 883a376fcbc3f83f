"""What is stored of a running case: tokens, timers and variables as plain JSON, never the procedure. Finished branches leave nothing.

Format 2:
    {"format": 2, "process": id, "status": active|incident|completed|cancelled, "next": next free number,
     "visits": {element id: how often entered}, "tokens": [token], "timers": [timer], "awaited": [subscription],
     "called": true if another case waits for this one, "failure": the error code that ended it}
A token lacks the keys that are empty, and so does the whole. Variables are FEEL's tagged JSON; instants are ISO text at UTC.
Format 1 (issue 2) had no messages, signals, conditions, jobs, calls and instances; what it had is written the same way.
A later format gets its own number, a reader of this one, and a stored sample in the tests.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from engine.exceptions import StateUnreadable
from engine.workflow.variables import Variables

FORMAT = 2
READABLE = (1, 2)
ROOT = 1  # number of the token that is the case itself


class Stage(StrEnum):
    """Where in its element a token is; `retry` goes on exactly there."""

    ENTERING = "entering"  # inputs and boundary timers still to be made
    ACTING = "acting"  # the element's own work
    WAITING = "waiting"  # for a person, a program, a called case, a time or an event
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
class JobState:
    """Work a program has to do, as evaluated when it was offered; `retries` is what is left."""

    type: str
    retries: int
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Token:
    """An element at work. The case, subprocesses and loops are tokens too: scopes, in which other tokens are.

    `element` is None for the case itself. `arrived` counts, by flow, tokens that wait in this scope before a join. `is_loop`: the body
    around the rounds of a loop or the instances of an element; `rounds` counts those begun (in a round: which it is), `done` those ended,
    of `total`; `items` are what the instances are for. `given`: what the event brought by which the token came to be. `begin`: the start
    event of a case whose scope is still to be opened.
    """

    id: int
    element: str | None
    parent: int | None
    stage: Stage
    since: datetime
    visit: int = 0
    is_loop: bool = False
    rounds: int = 0
    total: int = 0
    done: int = 0
    items: list | None = None
    given: dict | None = None
    begin: str | None = None
    variables: Variables = field(default_factory=Variables)
    arrived: dict[str, int] = field(default_factory=dict)
    offer: Offer | None = None
    job: JobState | None = None
    call: str | None = None  # id of the procedure that was called
    fault: Fault | None = None

    @property
    def is_stuck(self) -> bool:
        """Whether its own work has failed, and not only an event on its border, which stops nothing else."""
        return self.fault is not None and self.fault.element == self.element


@dataclass
class TimerState:
    """A time at which `token` is to be woken. `anchor` and `interval` (ISO text) make the repeats, `fired` counts those past
    (also before it was set, and those missed)."""

    id: int
    token: int
    element: str
    due: datetime
    since: datetime
    anchor: datetime | None = None
    interval: str | None = None
    repeats: int | None = None  # None: for ever, if there is an interval
    fired: int = 0


@dataclass
class SubscriptionState:
    """A message, signal or condition by which `token` is to be woken. `met`: a condition that held when it was last looked at."""

    id: int
    token: int
    element: str
    trigger: str
    since: datetime
    name: str | None = None
    key: str | None = None
    met: bool = False


def dump(case) -> dict:
    """The stored form of a `Case`."""
    stored = {
        "format": FORMAT,
        "process": case.process.id,
        "status": case.ended or case.status,
        "next": case.next_id,
        "visits": dict(case.visits),
        "tokens": [_dump_token(token) for token in case.tokens.values()],
        "timers": [_dump_plain(timer) for timer in case.alarms.values()],
        "awaited": [_dump_plain(subscription) for subscription in case.awaited.values()],
        "called": case.called,
        "failure": case.failure,
    }
    return {name: value for name, value in stored.items() if value or name in ("visits", "tokens", "timers")}


def load(case, state: dict) -> None:
    """Fill an empty `Case`. Raises StateUnreadable when the state is of another format or of another procedure."""
    if not isinstance(state, dict) or state.get("format") not in READABLE:
        raise StateUnreadable(reason=f"格式 {state.get('format') if isinstance(state, dict) else '?'}")
    try:
        case.next_id = state["next"]
        case.visits = dict(state["visits"])
        case.tokens = {entry["id"]: _load_token(entry) for entry in state["tokens"]}
        case.alarms = {entry["id"]: TimerState(**_instants(entry, "due", "since", "anchor")) for entry in state["timers"]}
        case.awaited = {entry["id"]: SubscriptionState(**_instants(entry, "since")) for entry in state.get("awaited", ())}
        case.called, case.failure = state.get("called", False), state.get("failure")
        case.ended = state["status"] if state["status"] in ("completed", "cancelled") else None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateUnreadable(reason=type(error).__name__) from error
    parts = (*case.tokens.values(), *case.alarms.values(), *case.awaited.values())
    elements = {part.element for part in parts if part.element}
    flows = {flow for token in case.tokens.values() for flow in token.arrived}
    missing = sorted(elements - case.process.elements.keys() | flows - case.process.flows.keys())
    if missing:
        raise StateUnreadable(reason=f"流程版本里没有 {missing[0]}")


_PLAIN = ("visit", "rounds", "is_loop", "total", "done", "items", "begin", "call")


def _dump_token(token: Token) -> dict:
    entry = {"id": token.id, "element": token.element, "parent": token.parent, "stage": token.stage.value}
    entry["since"] = token.since.isoformat()
    for name in _PLAIN:
        if value := getattr(token, name):
            entry[name] = value
    if token.arrived:
        entry["arrived"] = dict(token.arrived)
    if token.given is not None:  # an event that brought nothing has happened all the same
        entry["given"] = token.given
    if stored := token.variables.stored():
        entry["variables"] = dict(stored)
    for name in ("offer", "job", "fault"):
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
    if job := entry.get("job"):
        entry["job"] = JobState(**job)
    if fault := entry.get("fault"):
        entry["fault"] = Fault(**({"element": None} | _instants(fault, "since")))
    return Token(**entry)


def _dump_plain(part) -> dict:
    return {name: _plain(value) for name, value in vars(part).items() if value not in (None, (), {}) and value is not False}


def _plain(value):
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return list(value) if isinstance(value, tuple) else value


def _instants(entry: dict, *names: str) -> dict:
    return entry | {name: datetime.fromisoformat(entry[name]) for name in names if name in entry}
