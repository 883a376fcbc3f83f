"""A procedure as plain data: compiled once a version, never changed, shared by all threads. Nothing of a running case is in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from engine.workflow import joins
from engine.workflow.formula import Formula


class Kind(StrEnum):
    """What the engine runs. Everything else in BPMN is refused when a diagram is read."""

    START = "start"
    TIMER_START = "timer_start"
    END = "end"
    TERMINATE_END = "terminate_end"  # ends its own scope only
    USER_TASK = "user_task"
    MANUAL_TASK = "manual_task"  # passes straight through, as in Camunda 8
    TASK = "task"  # likewise
    SCRIPT_TASK = "script_task"
    BUSINESS_RULE_TASK = "business_rule_task"
    SUBPROCESS = "subprocess"
    EXCLUSIVE = "exclusive"
    PARALLEL = "parallel"
    INCLUSIVE = "inclusive"
    TIMER_CATCH = "timer_catch"
    TIMER_BOUNDARY = "timer_boundary"

    @property
    def is_activity(self) -> bool:
        """Tasks and subprocesses: what takes time, may loop and may carry boundary events."""
        return self in ACTIVITIES

    @property
    def is_gateway(self) -> bool:
        """What only splits and joins."""
        return self in GATEWAYS

    @property
    def is_start(self) -> bool:
        """What nothing flows into and a scope begins with."""
        return self in STARTS


PASSING = frozenset({Kind.TASK, Kind.MANUAL_TASK})
ACTIVITIES = PASSING | {Kind.USER_TASK, Kind.SCRIPT_TASK, Kind.BUSINESS_RULE_TASK, Kind.SUBPROCESS}
GATEWAYS = frozenset({Kind.EXCLUSIVE, Kind.PARALLEL, Kind.INCLUSIVE})
STARTS = frozenset({Kind.START, Kind.TIMER_START})
ENDS = frozenset({Kind.END, Kind.TERMINATE_END})
TIMED = frozenset({Kind.TIMER_START, Kind.TIMER_CATCH, Kind.TIMER_BOUNDARY})


@dataclass(frozen=True)
class Flow:
    """An arrow. `condition` only after exclusive and inclusive gateways."""

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
    # events
    timer: TimerRule | None = None
    attached_to: str | None = None
    interrupting: bool = True
    # subprocess
    start: str | None = None

    @property
    def default(self) -> Flow | None:
        """The flow a gateway takes when no condition is true."""
        return next((flow for flow in self.outgoing if flow.is_default), None)

    @property
    def repeats(self) -> bool:
        """Whether its timer may fire more than once."""
        return self.kind is Kind.TIMER_BOUNDARY and not self.interrupting

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

    @cached_property
    def form_ids(self) -> frozenset[str]:
        """Forms its user tasks name."""
        return frozenset(e.form_id for e in self.elements.values() if e.form_id)

    @cached_property
    def decision_ids(self) -> frozenset[str]:
        """Decisions it calls by a fixed id; computed ids are known only while running."""
        calls = (e.decision_id for e in self.elements.values())
        return frozenset(call.text for call in calls if call and call.expression is None)

    @cached_property
    def reach(self) -> Mapping[str, joins.Reach]:
        """For an inclusive join: which of its incoming flows a token elsewhere can still arrive at. Worked out when first asked."""
        return joins.Reaches(self)
