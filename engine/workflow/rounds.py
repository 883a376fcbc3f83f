"""Elements that are done more than once: standard loops and multi-instance. The body is a token around the rounds, which are tokens too.

The border belongs to the body. A standard loop asks its condition between two rounds. Many instances begin together or one after the
other; each has its item, `loopCounter` (from 1) and what it gives as variables of its own; that is gathered in the order of the items.
"""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine import feel
from engine.workflow.evaluation import check_storable, encoded, evaluate
from engine.workflow.model import Element, MultiInstance
from engine.workflow.state import Stage, Token
from engine.workflow.trouble import Trouble

if TYPE_CHECKING:
    from engine.workflow.game import Run

MOST_INSTANCES = 1000


def prepare(run: "Run", body: Token, element: Element) -> dict[str, Any]:
    """Before the first round: evaluate the collection; what the body's own scope is to hold. Changes nothing but the body's items."""
    rule = element.multi
    if rule is None:
        return {"loopCounter": Decimal(0)}  # what a condition asked before the first round sees
    items, _ = evaluate(run, body, rule.collection)
    if not isinstance(items, list):
        raise Trouble("collection_invalid", "多实例的集合没有得出列表")
    if len(items) > MOST_INSTANCES:
        raise Trouble("collection_too_large", f"多实例的集合超过 {MOST_INSTANCES} 项")
    check_storable(items)
    body.items, body.total = [feel.encode(item) for item in items], len(items)
    return {rule.output[0]: [None] * len(items)} if rule.output else {}


def announce(run: "Run", body: Token, element: Element) -> None:
    """The body has begun."""
    if element.multi:
        run.step("instances:started", element, body, total=body.total)
    else:
        run.step("loop:started", element, body)


def turn(run: "Run", body: Token) -> None:
    """Between two rounds: begin what is to begin, or leave."""
    element = run.element(body)
    if element.multi:
        _turn_instances(run, body, element, element.multi)
    elif _goes_round(run, body, element):
        body.rounds += 1
        body.variables["loopCounter"] = Decimal(body.rounds)
        body.stage = Stage.INSIDE
        run.enter(body, element)
    else:
        run.advance_later(body, Stage.LEAVING)


def _goes_round(run: "Run", loop: Token, element: Element) -> bool:
    rule = element.loop
    again, inputs = rule.maximum is None or loop.rounds < rule.maximum, {}
    if again and rule.condition and (loop.rounds or rule.test_before):
        again, inputs = evaluate(run, loop, rule.condition)
        if not isinstance(again, bool):
            raise Trouble("condition_not_boolean", "循环条件没有得出“是”或“否”")
    run.step("loop:decided", element, loop, round=loop.rounds, again=again, _inputs=encoded(inputs))
    return again


def _turn_instances(run: "Run", body: Token, element: Element, rule: MultiInstance) -> None:
    active = [token for token in run.tokens.values() if token.parent == body.id]
    if body.done and _is_over(run, body, element, rule):
        run.cancel(active, by=element.id)
        run.advance_later(body, Stage.LEAVING)
        return
    body.stage = Stage.INSIDE
    begin = 0 if active and rule.sequential else 1 if rule.sequential else body.total
    for item in (body.items or [])[body.rounds : body.rounds + begin]:
        body.rounds += 1
        _enter(run, body, element, item)
    if body.rounds == body.total:
        body.items = None  # each has its own
    if body.done == body.total:
        run.advance_later(body, Stage.LEAVING)


def _enter(run: "Run", body: Token, element: Element, item: Any) -> None:
    instance = run.enter(body, element)
    instance.rounds = body.rounds
    rule = element.multi
    own: dict[str, Any] = {rule.result: None} if rule.result else {}
    own |= {rule.item: feel.decode(item)} if rule.item else {}
    run.write_local(instance, own | {"loopCounter": Decimal(body.rounds)})


def _is_over(run: "Run", body: Token, element: Element, rule: MultiInstance) -> bool:
    if rule.until is None:
        return False
    # One that was moved on by hand gave nothing, so a condition may well come out null: then it was not enough.
    over, inputs = run.verdicts.pop(body.id, None) or _asked(run, body, body, rule, body.done, {})
    run.step("instances:decided", element, body, done=body.done, over=over is True, _inputs=encoded(inputs))
    return over is True


def judge(run: "Run", instance: Token, element: Element, made: dict[str, Any]) -> tuple[bool, dict] | None:
    """Whether it is enough when this instance has ended, and what that was decided from: the instance's variables too. Changes nothing."""
    rule, body = element.multi, run.tokens[instance.parent]
    if rule is None or rule.until is None:
        return None
    over, inputs = _asked(run, instance, body, rule, body.done + 1, made)
    if not isinstance(over, bool):
        raise Trouble("condition_not_boolean", "多实例的完成条件没有得出“是”或“否”")
    return over, inputs


def _asked(run: "Run", where: Token, body: Token, rule: MultiInstance, done: int, made: dict[str, Any]) -> tuple[Any, dict]:
    active = sum(token.parent == body.id and token is not where for token in run.tokens.values())
    counts = {"Instances": body.total, "ActiveInstances": active, "CompletedInstances": done, "TerminatedInstances": 0}
    return evaluate(run, where, rule.until, made | {f"numberOf{name}": Decimal(count) for name, count in counts.items()})


def gather(run: "Run", instance: Token, element: Element, made: dict[str, Any]) -> dict[str, Any]:
    """What an instance gives, to be kept by its body when it has left: `{output collection: the list so far}`. Changes nothing."""
    rule = element.multi
    if rule is None or rule.output is None:
        return {}
    name, formula = rule.output
    value, _ = evaluate(run, instance, formula, made)
    check_storable(value)
    gathered = list(run.tokens[instance.parent].variables[name])
    gathered[instance.rounds - 1] = value
    return {name: gathered}


def outward(element: Element, made: dict[str, Any]) -> dict[str, Any]:
    """What an element's outputs let out: of an instance all but what is its own."""
    rule = element.multi
    return {name: value for name, value in made.items() if name not in (rule.item, rule.result, "loopCounter")} if rule else made


def results(body: Token, element: Element) -> dict[str, Any]:
    """What the whole gives to the scope around it."""
    rule = element.multi
    return {rule.output[0]: body.variables[rule.output[0]]} if rule and rule.output else {}
