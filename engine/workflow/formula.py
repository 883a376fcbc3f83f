"""A field of the dialect: FEEL after `=`, plain text otherwise; and what every expression may read besides the case's variables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from typing import Any

from engine import feel
from engine.feel import FeelFunction

# Names the host lends to every expression. No variable may take them: a form field called `parameters` would replace the law.
HOST_NAMES = frozenset({"parameters", "case", "cycle", "working days after", "days after", "months after"})
CALENDAR_NAMES = frozenset(name for name in HOST_NAMES if name.endswith(" after"))


def _cycle(first, second=None) -> str:
    """Camunda 8's `cycle(3, duration("PT1H"))` and `cycle(duration("PT1H"))`: the text of a repeating interval."""
    count, interval = (first, second) if second is not None else ("", first)
    return f"R{count}/{feel.to_plain(interval)}"


CYCLE = FeelFunction("cycle", ("repetitions", "interval"), _cycle, required=1)


@dataclass(frozen=True)
class JobCall:
    """A job of a type that the host does itself: what its handler is told. `variables` are those the job's element sees."""

    type: str
    headers: Mapping[str, str]
    variables: Mapping[str, Any]
    now: datetime


@dataclass(frozen=True)
class Environment:
    """What a command lends the case: the time, the host's names, the decisions, the jobs that are done on the spot.

    `now` is aware; `zone` is where dates and times without a zone are meant. `decide(decision id, context)` answers an object with
    `result`, `matched` (rule ids) and `inputs`. `handlers` answer the variables a job of their type produces; they may raise BpmnError.
    `visits` bounds how many elements one command may enter without waiting.
    """

    now: datetime
    names: Mapping[str, Any] = field(default_factory=dict)
    decide: Callable[[str, dict], Any] | None = None
    zone: tzinfo = UTC
    handlers: Mapping[str, Callable[[JobCall], Mapping[str, Any]]] = field(default_factory=dict)
    visits: int = 10_000

    @cached_property
    def host(self) -> Mapping[str, Any]:
        """All names that are not variables."""
        return {"cycle": CYCLE, **self.names}


@dataclass(frozen=True)
class Formula:
    """`expression` is None for plain text."""

    text: str
    expression: feel.Expression | None = None

    @classmethod
    def read(cls, text: str, names=()) -> "Formula":
        """Raises FeelSyntaxError. `names`: those of several words that the expression may use."""
        text = text.strip()
        if not text.startswith("="):
            return cls(text)
        return cls(text, feel.compile(text[1:], names=names))

    @property
    def reads(self) -> frozenset[str]:
        """Free names of the expression."""
        return frozenset(self.expression.names) if self.expression else frozenset()

    @property
    def is_calendar_based(self) -> bool:
        """Whether a new calendar of holidays may change its value."""
        return not CALENDAR_NAMES.isdisjoint(self.reads)

    def evaluate(self, sight: Mapping[str, Any], env: Environment, now: datetime | None = None) -> Any:
        """The FEEL value, or the text itself. `now` replaces the environment's clock. Raises FeelLimit."""
        if self.expression is None:
            return self.text
        return self.expression.evaluate(sight, clock=(now or env.now).astimezone(env.zone))
