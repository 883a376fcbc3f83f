"""A procedure as plain data: compiled once a version, never changed, shared by all threads. Nothing of a running case is in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from engine.workflow import joins
from engine.workflow.formula import Formula


class Kind(StrEnum):
    """What the engine runs. Everything else in BPMN is refused when a diagram is read. An event's trigger stands in its `event`."""

    START = "start"
    END = "end"
    CATCH = "catch"  # intermediate
    THROW = "throw"  # intermediate
    BOUNDARY = "boundary"
    USER_TASK = "user_task"
    MANUAL_TASK = "manual_task"  # passes straight through, as in Camunda 8
    TASK = "task"  # likewise
    SCRIPT_TASK = "script_task"
    BUSINESS_RULE_TASK = "business_rule_task"
    SERVICE_TASK = "service_task"
    SEND_TASK = "send_task"
    RECEIVE_TASK = "receive_task"
    SUBPROCESS = "subprocess"
    EVENT_SUBPROCESS = "event_subprocess"
    CALL_ACTIVITY = "call_activity"
    EXCLUSIVE = "exclusive"
    PARALLEL = "parallel"
    INCLUSIVE = "inclusive"
    EVENT_BASED = "event_based"

    @property
    def is_activity(self) -> bool:
        """Tasks, subprocesses and calls: what takes time, may loop and may carry boundary events."""
        return self in ACTIVITIES

    @property
    def is_gateway(self) -> bool:
        """What only splits and joins."""
        return self in GATEWAYS


    @property
    def decides(self) -> bool:
        """Gateways that choose by conditions."""
        return self in DECIDING


class Trigger(StrEnum):
    """What an event catches or throws. None at all: a plain start, end or intermediate event."""

    TIMER = "timer"
    MESSAGE = "message"
    SIGNAL = "signal"
    ERROR = "error"
    ESCALATION = "escalation"
    CONDITION = "condition"
    TERMINATE = "terminate"  # ends its own scope only
    LINK = "link"


PASSING = frozenset({Kind.TASK, Kind.MANUAL_TASK})
ACTIVITIES = PASSING | {
    Kind.USER_TASK,
    Kind.SCRIPT_TASK,
    Kind.BUSINESS_RULE_TASK,
    Kind.SERVICE_TASK,
    Kind.SEND_TASK,
    Kind.RECEIVE_TASK,
    Kind.SUBPROCESS,
    Kind.CALL_ACTIVITY,
}
GATEWAYS = frozenset({Kind.EXCLUSIVE, Kind.PARALLEL, Kind.INCLUSIVE, Kind.EVENT_BASED})
DECIDING = frozenset({Kind.EXCLUSIVE, Kind.INCLUSIVE})
SCOPES = frozenset({Kind.SUBPROCESS, Kind.EVENT_SUBPROCESS})  # what holds elements of its own
# What is waited for by a subscription or a timer; errors and escalations are looked for when they are thrown.
AWAITED = frozenset({Trigger.TIMER, Trigger.MESSAGE, Trigger.SIGNAL, Trigger.CONDITION})


@dataclass(frozen=True)
class Flow:
    """An arrow. `condition`: after exclusive and inclusive gateways and after activities."""

    id: str
    source: str
    target: str
    name: str = ""
    condition: Formula | None = None
    is_default: bool = False
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Lane:
    """Who does the elements inside; nested lanes give their innermost."""

    id: str
    name: str
    properties: Mapping[str, str]


@dataclass(frozen=True)
class Assignment:
    """Who may do a user task, evaluated when it opens. Lists are FEEL lists of strings or text with commas."""

    assignee: Formula | None = None
    candidate_groups: Formula | None = None
    candidate_users: Formula | None = None


@dataclass(frozen=True)
class VariableMapping:
    """One input or output of an element: `target` is a variable or a path into one."""

    source: Formula
    target: tuple[str, ...]


@dataclass(frozen=True)
class Loop:
    """Repeat while `condition` is true, at most `maximum` times; asked before or after each round."""

    condition: Formula | None
    maximum: int | None
    test_before: bool


@dataclass(frozen=True)
class TimerRule:
    """When a timer event is due. `kind`: date, duration or cycle."""

    kind: str
    formula: Formula


@dataclass(frozen=True)
class EventRule:
    """What an event catches or throws.

    `name`: of the message or signal, the link, or the code of an error or escalation (None: catches every code).
    `key`: which receiver a message is for, compared as text. `lifetime`: how long a message that is sent waits for one (a duration).
    """

    trigger: Trigger
    timer: TimerRule | None = None
    name: Formula | None = None
    key: Formula | None = None
    lifetime: Formula | None = None
    condition: Formula | None = None


@dataclass(frozen=True)
class JobRule:
    """Work that a program does: `type` says which, `retries` how often it may fail."""

    type: Formula
    retries: Formula | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CallRule:
    """Another procedure that is called. `gives_all`: it sees every variable, not only the mapped inputs; `takes_all`: likewise back."""

    process_id: Formula
    gives_all: bool = True
    takes_all: bool = True


@dataclass(frozen=True)
class MultiInstance:
    """An activity once for each item of `collection`, together or one after the other.

    `item` is the variable that holds the item; `output` (variable, expression) gathers the results; `until` ends it early. `result`: the
    variable that `output` looks at, if it looks at one only: each instance has it for itself, so that none gathers another's (as in Zeebe).
    """

    sequential: bool
    collection: Formula
    item: str | None = None
    output: tuple[str, Formula] | None = None
    until: Formula | None = None
    result: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Element:
    """A node of the diagram, equal only to itself. Fields that its kind does not have keep their defaults."""

    id: str
    kind: Kind
    name: str = ""
    documentation: str = ""
    parent: str | None = None  # the enclosing subprocess
    lane: Lane | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    incoming: tuple[Flow, ...] = ()
    outgoing: tuple[Flow, ...] = ()
    inputs: tuple[VariableMapping, ...] = ()
    outputs: tuple[VariableMapping, ...] = ()
    loop: Loop | None = None
    multi: MultiInstance | None = None
    boundary: tuple[str, ...] = ()  # ids of the events on its border
    # user task
    form_id: str | None = None
    assignment: Assignment = Assignment()
    due: Formula | None = None
    follow_up: Formula | None = None
    priority: Formula | None = None
    # script and business rule
    script: Formula | None = None
    decision_id: Formula | None = None
    result_variable: str | None = None
    # service and send tasks, and message events that are sent by a program
    job: JobRule | None = None
    # call activity
    call: CallRule | None = None
    # events, send and receive tasks
    event: EventRule | None = None
    attached_to: str | None = None
    interrupting: bool = True  # of boundary events and starts of event subprocesses
    link: str | None = None  # of a throwing link: the id of the catching one
    # scopes
    start: str | None = None
    watchers: tuple[str, ...] = ()  # ids of the event subprocesses directly inside

    @property
    def default(self) -> Flow | None:
        """The flow a gateway takes when no condition is true."""
        return next((flow for flow in self.outgoing if flow.is_default), None)

    @property
    def trigger(self) -> Trigger | None:
        """What kind of event it is."""
        return self.event.trigger if self.event else None

    @property
    def timer(self) -> TimerRule | None:
        """When it is due, of a timer event."""
        return self.event.timer if self.event else None

    @property
    def repeats(self) -> bool:
        """Whether it may fire more than once."""
        return not self.interrupting and self.kind in (Kind.BOUNDARY, Kind.START)

    @property
    def has_body(self) -> bool:
        """Whether it is a loop or has many instances: its first token is then the body around the rounds."""
        return self.loop is not None or self.multi is not None

    @property
    def joins(self) -> bool:
        """Whether tokens wait here for one another."""
        return len(self.incoming) > 1 and self.kind in (Kind.PARALLEL, Kind.INCLUSIVE)


@dataclass(frozen=True, kw_only=True, eq=False)
class Process:
    """A compiled procedure."""

    id: str
    name: str
    documentation: str
    properties: Mapping[str, str]
    version_tag: str | None
    elements: Mapping[str, Element]
    flows: Mapping[str, Flow]
    lanes: tuple[Lane, ...]
    start_events: tuple[str, ...]  # of the process itself, the one without a trigger first
    watchers: tuple[str, ...] = ()  # ids of the event subprocesses of the process itself

    @property
    def has_plain_start(self) -> bool:
        """Whether people and calls can begin it; else only a message, a signal or a time does."""
        return self.elements[self.start_events[0]].trigger is None

    @cached_property
    def form_ids(self) -> frozenset[str]:
        """Forms its user tasks name: to be filled in, or to be printed instead (`document_form`, see engine.documents)."""
        named = (name for e in self.elements.values() for name in (e.form_id, e.properties.get("document_form")))
        return frozenset(name for name in named if name)

    @cached_property
    def decision_ids(self) -> frozenset[str]:
        """Decisions it calls by a fixed id; computed ids are known only while running."""
        calls = (e.decision_id for e in self.elements.values())
        return frozenset(call.text for call in calls if call and call.expression is None)

    def leading_to(self, element: Element) -> list[str]:
        """Ids of the elements from which a token comes here without a flow: the host of a boundary event, the throwing links."""
        return ([element.attached_to] if element.attached_to else []) + self._links.get(element.id, [])

    @cached_property
    def called_ids(self) -> Mapping[str, str]:
        """Procedures it calls by a fixed id: element id → process id; computed ids are known only while running."""
        calls = {element.id: element.call.process_id for element in self.elements.values() if element.call}
        return {element: call.text for element, call in calls.items() if call.expression is None}

    @cached_property
    def _links(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for element in self.elements.values():
            if element.link:
                found.setdefault(element.link, []).append(element.id)
        return found

    @cached_property
    def reach(self) -> Mapping[str, joins.Reach]:
        """For an inclusive join: which of its incoming flows a token elsewhere can still arrive at. Worked out when first asked."""
        return joins.Reaches(self)


def words(text: str | None) -> list[str]:
    """The words of a comma-separated property."""
    return [word.strip() for word in (text or "").split(",") if word.strip()]
