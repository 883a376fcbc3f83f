"""What each kind of element does while a token is in it, and every evaluation of an expression.

All of it raises `Trouble`, before it has changed anything.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine import feel
from engine.exceptions import EngineError
from engine.workflow.formula import Formula
from engine.workflow.model import Assignment, Element, Flow, Kind, VariableMapping
from engine.workflow.state import Offer, Stage, Token
from engine.workflow.timing import Schedule, moment, schedule
from engine.workflow.trouble import Trouble
from engine.workflow.variables import Sight, chain, nested, visible

if TYPE_CHECKING:
    from engine.workflow.game import Run


LONGEST_NAME = 40  # of a username
LONGEST_LIST = 300  # characters of candidates, so that the host can filter by them


# --- kinds ------------------------------------------------------------------------------------------------------------------


def pass_through(run: "Run", token: Token, element: Element) -> None:
    """Events, gateways, manual and undefined tasks: nothing to do on the way."""
    run.advance_later(token, Stage.LEAVING)


def open_task(run: "Run", token: Token, element: Element) -> None:
    """A user task waits for a person."""
    offer = offer_of(run, token, element)
    token.offer, token.stage, token.since = offer, Stage.WAITING, run.env.now
    facts = {"groups": list(offer.candidate_groups), "priority": offer.priority}
    facts |= {name: at.isoformat() for name, at in (("due", offer.due), ("follow_up", offer.follow_up)) if at}
    people = [name for name in (offer.assignee, *offer.candidate_users) if name]
    run.step("wait:opened", element, token, **facts, _people=people)


def run_script(run: "Run", token: Token, element: Element) -> None:
    """A script is one expression; its value goes into one variable."""
    value, inputs = evaluate(run, token, element.script)
    _check_storable(value)
    run.step("script:evaluated", element, token, variable=element.result_variable, _inputs=_encoded(inputs), _result=feel.encode(value))
    run.store(token, {element.result_variable: value})
    run.advance_later(token, Stage.LEAVING)


def apply_rule(run: "Run", token: Token, element: Element) -> None:
    """A business rule task asks a decision table of its procedure's version."""
    decision, _ = evaluate(run, token, element.decision_id)
    if not isinstance(decision, str) or not decision:
        raise Trouble("decision_unknown", "算出的决策表编号不是文字")
    if run.env.decide is None:
        raise Trouble("decision_unknown", f"没有可用的决策表“{decision}”")
    try:
        outcome = run.env.decide(decision, visible(run.tokens, token) | dict(run.env.host))
    except LookupError:
        raise Trouble("decision_unknown", f"没有决策表“{decision}”") from None
    except EngineError as error:
        raise Trouble("decision_failed", f"决策表“{decision}”没有得出结果:{error.message}") from error
    _check_storable(outcome.result)
    run.step(
        "decision:evaluated",
        element,
        token,
        decision=decision,
        rules=list(outcome.matched),
        _inputs=[feel.encode(value) for value in outcome.inputs],
        _result=feel.encode(outcome.result),
    )
    run.store(token, {element.result_variable: outcome.result})
    run.advance_later(token, Stage.LEAVING)


def wait_for_time(run: "Run", token: Token, element: Element) -> None:
    """A timer catch event; of a cycle it takes the first occurrence."""
    run.set_alarm(token, element, schedule_of(run, token, element))
    token.stage = Stage.WAITING


def go_inside(run: "Run", token: Token, element: Element) -> None:
    """A subprocess: its scope ends when nothing is left inside."""
    token.stage = Stage.INSIDE
    run.enter(token, run.process.elements[element.start])


WORK = {
    Kind.USER_TASK: open_task,
    Kind.SCRIPT_TASK: run_script,
    Kind.BUSINESS_RULE_TASK: apply_rule,
    Kind.TIMER_CATCH: wait_for_time,
    Kind.SUBPROCESS: go_inside,
}


# --- ways on ----------------------------------------------------------------------------------------------------------------


def ways(run: "Run", token: Token, element: Element) -> tuple[Flow, ...]:
    """The flows a token leaves by. Exclusive: the first true condition in the order of the file; inclusive: every true one."""
    conditional = [flow for flow in element.outgoing if flow.condition]
    if element.kind not in (Kind.EXCLUSIVE, Kind.INCLUSIVE) or not (conditional or element.default):
        return element.outgoing
    taken, evaluations = [], []
    for flow in conditional:
        value, inputs = evaluate(run, token, flow.condition)
        if not isinstance(value, bool):
            raise Trouble("condition_not_boolean", f"连线“{flow.name or flow.id}”的条件没有得出“是”或“否”")
        evaluations.append({"flow": flow.id, "result": value, "inputs": _encoded(inputs)})
        if value:
            taken.append(flow)
            if element.kind is Kind.EXCLUSIVE:
                break
    by_default = not taken
    if by_default:
        if element.default is None:
            raise Trouble("no_way_out", "没有一个条件成立,也没有默认连线")
        taken = [element.default]
    flows = [flow.id for flow in taken]
    run.step("gateway:decided", element, token, flows=flows, default=by_default, _conditions=evaluations)
    return tuple(taken)


def goes_round(run: "Run", loop: Token, element: Element) -> bool:
    """Whether a loop makes (another) round."""
    rule = element.loop
    again, inputs = rule.maximum is None or loop.rounds < rule.maximum, {}
    if again and rule.condition and (loop.rounds or rule.test_before):
        again, inputs = evaluate(run, loop, rule.condition)
        if not isinstance(again, bool):
            raise Trouble("condition_not_boolean", "循环条件没有得出“是”或“否”")
    run.step("loop:decided", element, loop, round=loop.rounds, again=again, _inputs=_encoded(inputs))
    return again


# --- evaluation -------------------------------------------------------------------------------------------------------------


def evaluate(run: "Run", token: Token, formula: Formula, extra: Mapping[str, Any] | None = None, now=None) -> tuple[Any, dict]:
    """The value and the variables that were read for it. `extra` variables hide the token's."""
    if formula.expression is None:
        return formula.text, {}
    scopes = [scope.variables for scope in chain(run.tokens, token)]
    sight = Sight([extra, *scopes] if extra else scopes, run.env.host)
    try:
        return formula.evaluate(sight, run.env, now), sight.read
    except feel.FeelError as error:
        raise Trouble("expression_failed", f"表达式算不出来:{error.message}") from error


def mapped(run: "Run", token: Token, mappings: tuple[VariableMapping, ...]) -> dict[str, Any]:
    """Inputs or outputs in their order; each sees the ones before it. A path keeps what else is in its variable."""
    made: dict[str, Any] = {}
    for mapping in mappings:
        value, _ = evaluate(run, token, mapping.source, made)
        _check_storable(value)
        name, *path = mapping.target
        old = made.get(name, visible(run.tokens, token).get(name)) if path else None
        made[name] = nested(old, tuple(path), value)
    return made


def schedule_of(run: "Run", token: Token, event: Element, since=None) -> Schedule:
    """When the timer of `event` is due, its expression evaluated where `token` is, counted from `since` (now)."""
    since = since or run.env.now
    value, _ = evaluate(run, token, event.timer.formula, now=since)
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
        raise Trouble("assignment_invalid", f"{what}太多,合起来不能超过 {LONGEST_LIST} 个字符")
    return names


def _moment(run: "Run", value, formula: Formula | None, what: str):
    if formula is None:
        return None
    try:
        return moment(value, run.env.zone, end_of_day=True)
    except (ValueError, OverflowError) as error:
        raise Trouble("schedule_invalid", f"{what}不正确:{error}") from None


def _priority(value, formula: Formula | None) -> int:
    if formula is None:
        return 50
    number = Decimal(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value
    if not isinstance(number, Decimal) or not 0 <= number <= 100 or number != int(number):
        raise Trouble("priority_invalid", "优先级应是 0 到 100 的整数")
    return int(number)


def _check_storable(value) -> None:
    try:
        feel.encode(value)
    except feel.FeelError as error:
        raise Trouble("value_not_storable", "算出的结果不能保存(例如是一个函数)") from error


def _encoded(values: Mapping[str, Any]) -> dict:
    return {name: feel.encode(value) for name, value in values.items()}
