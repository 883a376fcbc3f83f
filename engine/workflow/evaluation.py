"""Every evaluation of an expression where a token is: values, mappings, schedules, the fields of a user task.

All of it raises `Trouble`, and changes nothing.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine import feel
from engine.workflow.formula import Formula
from engine.workflow.model import Assignment, Element, VariableMapping
from engine.workflow.state import Offer, Token
from engine.workflow.timing import Schedule, moment, schedule
from engine.workflow.trouble import Trouble
from engine.workflow.variables import Sight, chain, nested, visible

if TYPE_CHECKING:
    from engine.workflow.game import Run

LONGEST_NAME = 40  # of a username
LONGEST_LIST = 300  # characters of candidates, so that the host can filter by them


def evaluate(run: "Run", token: Token, formula: Formula, extra: Mapping[str, Any] | None = None, now=None) -> tuple[Any, dict]:
    """The value and the variables that were read for it. `extra` variables hide the token's."""
    if formula.expression is None:
        return formula.text, {}
    scopes = [scope.variables for scope in chain(run.tokens, token)]
    sight = Sight([extra, *scopes] if extra else scopes, run.env.host)
    try:
        return formula.evaluate(sight, run.env, now), sight.read
    except feel.FeelError as error:
        raise Trouble("expression_failed", f"表达式算不出来：{error.message}") from error


def mapped(run: "Run", token: Token, mappings: tuple[VariableMapping, ...], merges: bool = True) -> dict[str, Any]:
    """Inputs or outputs in their order; each sees the ones before it. A path keeps what else is in its variable if it `merges`, as outputs
    do; inputs make variables anew (both as in Zeebe): a called case is not to see what nobody gave it."""
    made: dict[str, Any] = {}
    for mapping in mappings:
        value, _ = evaluate(run, token, mapping.source, made)
        check_storable(value)
        name, *path = mapping.target
        old = made.get(name, visible(run.tokens, token).get(name) if merges else None) if path else None
        made[name] = nested(old, tuple(path), value)
    return made


def schedule_of(run: "Run", token: Token, event: Element, since=None, inputs: Mapping[str, Any] | None = None) -> Schedule:
    """When the timer of `event` is due, its expression evaluated where `token` is, counted from `since` (now). `inputs` hide variables."""
    since = since or run.env.now
    value, _ = evaluate(run, token, event.timer.formula, inputs, now=since)
    if value is None:
        raise Trouble("timer_invalid", "定时器的时间算出来是空值")
    return schedule(event.timer.kind, value, since, run.env.zone)


def offer_of(run: "Run", token: Token, element: Element, since=None) -> Offer:
    """The fields of a user task, with days counted from `since` (now)."""

    def field(formula: Formula | None):
        return evaluate(run, token, formula, now=since)[0] if formula else None

    rule: Assignment = element.assignment
    return Offer(
        assignee=_name(field(rule.assignee)),
        candidate_groups=_names(field(rule.candidate_groups), rule.candidate_groups, "候选组"),
        candidate_users=_names(field(rule.candidate_users), rule.candidate_users, "候选人"),
        due=_moment(run, field(element.due), element.due, "截止时间"),
        follow_up=_moment(run, field(element.follow_up), element.follow_up, "跟进时间"),
        priority=_priority(field(element.priority), element.priority),
    )


def _name(value) -> str | None:
    if value is not None and (not isinstance(value, str) or len(value) > LONGEST_NAME):
        raise Trouble("assignment_invalid", "办理人应是一个用户名")
    return value or None


def _names(value, formula: Formula | None, what: str) -> tuple[str, ...]:
    if formula is None:
        return ()
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise Trouble("assignment_invalid", f"{what}应是文字的列表")
    names = tuple(dict.fromkeys(name for name in value if name))
    if sum(len(name) + 1 for name in names) > LONGEST_LIST:
        raise Trouble("assignment_invalid", f"{what}太多，合起来不能超过 {LONGEST_LIST} 个字符")
    return names


def _moment(run: "Run", value, formula: Formula | None, what: str):
    if formula is None:
        return None
    try:
        return moment(value, run.env.zone, end_of_day=True)
    except (ValueError, OverflowError) as error:
        raise Trouble("schedule_invalid", f"{what}不正确：{error}") from None


def _priority(value, formula: Formula | None) -> int:
    if formula is None:
        return 50
    number = Decimal(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value
    if not isinstance(number, Decimal) or not 0 <= number <= 100 or number != int(number):
        raise Trouble("priority_invalid", "优先级应是 0 到 100 的整数")
    return int(number)


def check_storable(value) -> None:
    """Raises Trouble for what cannot be kept, such as a function."""
    try:
        feel.encode(value)
    except feel.FeelError as error:
        raise Trouble("value_not_storable", "算出的结果不能保存（例如是一个函数）") from error


def encoded(values: Mapping[str, Any]) -> dict:
    """FEEL values as tagged JSON."""
    return {name: feel.encode(value) for name, value in values.items()}
