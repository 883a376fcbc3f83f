"""Events: what is waited for, what happens when it comes, and what is thrown.

A wait is a timer, or a subscription to a message, a signal or a condition. Errors and escalations wait nowhere: whoever throws one looks
outwards for who catches it. Everything is evaluated before anything changes.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine import feel
from engine.workflow.evaluation import encoded, evaluate, schedule_of
from engine.workflow.formula import Formula
from engine.workflow.model import AWAITED, Element, Kind, Trigger
from engine.workflow.state import Stage, SubscriptionState, Token
from engine.workflow.steps import Outgoing
from engine.workflow.timing import Interval, Schedule
from engine.workflow.trouble import Trouble

if TYPE_CHECKING:
    from engine.workflow.game import Run

LONGEST_NAME = 200  # of a message, signal or code
LONGEST_KEY = 400


# --- waiting ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """A wait as evaluated: of a timer its schedule, else what is subscribed to."""

    event: Element
    schedule: Schedule | None = None
    name: str | None = None
    key: str | None = None


def plans(run: "Run", token: Token, catching: Iterable[Element], inputs: Mapping[str, Any] | None = None) -> list[Plan]:
    """What `token` will wait for. `inputs`: those of its element, where they are not its variables yet: timers and names on its border see
    them, but the key of a message there is the one that the scope around would give (both as in Zeebe).

    Changes nothing; raises Trouble.
    """
    return [_plan(run, token, event, inputs) for event in catching if event.trigger in AWAITED]


def _plan(run: "Run", token: Token, event: Element, inputs: Mapping[str, Any] | None) -> Plan:
    rule = event.event
    if rule.trigger is Trigger.TIMER:
        return Plan(event, schedule_of(run, token, event, inputs=inputs))
    if rule.trigger is Trigger.CONDITION:
        return Plan(event)
    return Plan(event, None, name_of(run, token, rule.name, inputs), key_of(run, token, rule.key))


def begin_waiting(run: "Run", token: Token, planned: Iterable[Plan]) -> None:
    """Set the timers and subscriptions."""
    for plan in planned:
        if plan.schedule is not None:
            run.set_alarm(token, plan.event, plan.schedule)
            continue
        trigger = plan.event.trigger
        wait = SubscriptionState(run.case.new_id(), token.id, plan.event.id, trigger.value, run.env.now, plan.name, plan.key)
        run.case.awaited[wait.id] = wait
        run.step(f"{trigger}:awaited", plan.event, token, subscription=wait.id, name=plan.name, _key=plan.key or {})
        run.changed |= trigger is Trigger.CONDITION  # it may hold already


def watchers(run: "Run", scope: Token) -> list[Element]:
    """The start events of the event subprocesses directly inside a scope."""
    inside = run.process.watchers if scope.element is None else run.element(scope).watchers
    return [run.process.elements[run.process.elements[watcher].start] for watcher in inside]


def check_conditions(run: "Run", moving: Collection[int] = ()) -> bool:
    """After variables have changed: let the conditions that have become true happen. Whether any did. `moving`: tokens in the middle of
    their way through an element; what waits at them is asked when they rest."""
    if not run.changed:
        return False
    run.changed = happened = False
    for wait in [wait for wait in run.case.awaited.values() if wait.trigger == Trigger.CONDITION]:
        if wait.token in moving:
            run.changed = True
        elif wait.id in run.case.awaited:  # else what happened before has ended it
            happened |= _check(run, wait)
    return happened


def _check(run: "Run", wait: SubscriptionState) -> bool:
    event, host = run.process.elements[wait.element], run.tokens[wait.token]
    try:
        value, inputs = evaluate(run, host, event.event.condition)
        if not isinstance(value, bool | None):
            raise Trouble("condition_not_boolean", f"条件事件“{event.name or event.id}”没有得出“是”或“否”")
    except Trouble as trouble:
        if host.fault is None:
            run.trouble(host, trouble, event)
        return False
    was, wait.met = wait.met, bool(value)
    if wait.met and not was:
        happen(run, wait, {}, _inputs=encoded(inputs))
        return True
    return False


def happen(run: "Run", wait: SubscriptionState, values: Mapping[str, Any], **facts) -> None:
    """What was waited for has come."""
    event, host = run.process.elements[wait.element], run.tokens[wait.token]
    kind = "condition:met" if wait.trigger == Trigger.CONDITION else f"{wait.trigger}:caught"
    run.step(kind, event, host, subscription=wait.id, name=wait.name, **facts)
    if not event.repeats:
        del run.case.awaited[wait.id]
    catch(run, host, event, values)


def signal(run: "Run", name: str, values: Mapping[str, Any]) -> bool:
    """Wake everything in this case that waits for a signal. Whether anything did."""
    waiting = [wait for wait in run.case.awaited.values() if wait.trigger == Trigger.SIGNAL and wait.name == name]
    for wait in waiting:
        if wait.id in run.case.awaited:
            happen(run, wait, values)
    return bool(waiting)


# --- catching ---------------------------------------------------------------------------------------------------------------


def catch(run: "Run", host: Token, event: Element, values: Mapping[str, Any]) -> None:
    """`event` happens to what `host` is or holds: a waiting event goes on, one on a border or a watcher begins."""
    if event.kind is Kind.BOUNDARY:
        scope = run.tokens[host.parent]
        if event.interrupting:
            run.cancel([host], by=event.id)
        _enter(run, scope, event, values)
    elif event.kind is Kind.START:
        _begin_watcher(run, host, event, values)
    elif host.element != event.id:  # an event-based gateway: the first event wins
        scope, gateway = run.tokens[host.parent], run.element(host)
        flow = next(flow for flow in gateway.outgoing if flow.target == event.id)
        run.remove(host, "element:completed")
        run.step("flow:taken", gateway, host, flow=flow.id, target=flow.target)
        _enter(run, scope, event, values)
    else:
        run.store(host, values)
        run.advance_later(host, Stage.LEAVING)


def _begin_watcher(run: "Run", scope: Token, start: Element, values: Mapping[str, Any]) -> None:
    """An event subprocess begins; one that interrupts ends everything else in its scope, and that nothing more may come there."""
    if start.interrupting:
        run.clear(scope, by=start.id)
        watching = {event.id for event in watchers(run, scope)}
        run.stop_waiting(scope, watching)
    scope.stage = Stage.INSIDE
    _enter(run, scope, run.process.elements[start.parent], values)


def _enter(run: "Run", scope: Token, element: Element, values: Mapping[str, Any]) -> None:
    run.enter(scope, element).given = encoded(values)


# --- throwing ---------------------------------------------------------------------------------------------------------------


def throw(run: "Run", token: Token, element: Element) -> None:
    """A throwing or end event, or a send task: do what it says, then go on."""
    if element.trigger in (Trigger.MESSAGE, Trigger.SIGNAL, Trigger.ERROR, Trigger.ESCALATION):
        name, brought = name_of(run, token, element.event.name), token.variables.as_dict()
        _THROWS[element.trigger](run, token, element, name, brought)
    if token.id in run.tokens and not run.case.ended:
        run.advance_later(token, Stage.LEAVING)


def _send(run: "Run", token: Token, element: Element, name: str, brought: dict) -> None:
    key, lifetime = key_of(run, token, element.event.key), _lifetime(run, token, element.event.lifetime)
    run.step("message:sent", element, token, name=name, _key=key or {}, _values=encoded(brought))
    run.case.ask(Outgoing("message", token.id, name, key, lifetime, brought))


def _broadcast(run: "Run", token: Token, element: Element, name: str, brought: dict) -> None:
    run.step("signal:sent", element, token, name=name, _values=encoded(brought))
    run.case.ask(Outgoing("signal", token.id, name, variables=brought))
    signal(run, name, brought)


def throw_error(run: "Run", token: Token, element: Element, code: str, brought: Mapping[str, Any]) -> None:
    """Let the nearest catcher outwards have the error. Raises Trouble when there is none, except in a called case: its caller gets it."""
    found = _catcher(run, token, Trigger.ERROR, code)
    if found is None and not run.case.called:
        raise Trouble("error_uncaught", f"错误“{code}”没有任何事件捕获，流程停在这里")
    run.step("error:thrown", element, token, code=code)
    if found is None:
        run.case.fail(run, code, brought)
        return
    host, event = found
    if element.kind is Kind.END:
        run.remove(token, "element:completed")
    run.step("error:caught", event, host, code=code, **{"from": element.id})
    catch(run, host, event, brought)


def throw_escalation(run: "Run", token: Token, element: Element, code: str, brought: Mapping[str, Any]) -> None:
    """Tell the nearest catcher outwards; where nobody listens nothing happens, in a called case its caller is told."""
    found = _catcher(run, token, Trigger.ESCALATION, code)
    run.step("escalation:thrown", element, token, code=code, caught=found is not None)
    if found is None:
        if run.case.called:
            run.case.ask(Outgoing("escalation", token.id, code, variables=brought))
        return
    host, event = found
    if element.kind is Kind.END and event.interrupting:
        run.remove(token, "element:completed")
    run.step("escalation:caught", event, host, code=code, **{"from": element.id})
    catch(run, host, event, brought)


_THROWS = {
    Trigger.MESSAGE: _send,
    Trigger.SIGNAL: _broadcast,
    Trigger.ERROR: throw_error,
    Trigger.ESCALATION: throw_escalation,
}


def _catcher(run: "Run", token: Token, trigger: Trigger, code: str) -> tuple[Token, Element] | None:
    """Outwards from the thrower: the border of what it is in, then the event subprocesses of the scope around, and so on (BPMN 2.0.2,
    10.5.1 and 10.5.6). An event subprocess does not catch what it throws itself."""
    at = token
    while True:
        if at.parent is not None and run.tokens[at.parent].is_loop:
            at = run.tokens[at.parent]  # the border belongs to the whole loop
        border = [] if at.element is None else [run.process.elements[event] for event in run.element(at).boundary]
        if event := _matching(border, trigger, code):
            return at, event
        if at.parent is None:
            return None
        scope = run.tokens[at.parent]
        if event := _matching(_beside(run, at, scope), trigger, code):
            return scope, event
        at = scope


def _beside(run: "Run", at: Token, scope: Token) -> list[Element]:
    """The event subprocesses of a scope that may catch what comes from `at` in it: not itself, and none if it has interrupted the scope."""
    element = run.element(at)
    if element.kind is not Kind.EVENT_SUBPROCESS:
        return watchers(run, scope)
    if run.process.elements[element.start].interrupting:
        return []
    return [start for start in watchers(run, scope) if start.parent != element.id]


def _matching(catching: list[Element], trigger: Trigger, code: str) -> Element | None:
    """The one for exactly this code, else the one for all."""
    fitting = [event for event in catching if event.trigger is trigger]
    exact = next((event for event in fitting if event.event.name and event.event.name.text == code), None)
    return exact or next((event for event in fitting if event.event.name is None), None)


# --- names, keys, lifetimes -------------------------------------------------------------------------------------------------


def name_of(run: "Run", token: Token, formula: Formula, inputs: Mapping[str, Any] | None = None) -> str:
    """The name of a message or signal, or a code. Raises Trouble."""
    value, _ = evaluate(run, token, formula, inputs)
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_NAME:
        raise Trouble("event_name_invalid", f"事件的名称应是不超过 {LONGEST_NAME} 个字符的文字")
    return value


def key_of(run: "Run", token: Token, formula: Formula | None) -> str | None:
    """A message's correlation key as text: a text or a number, as in Zeebe. Raises Trouble."""
    if formula is None:
        return None
    value, _ = evaluate(run, token, formula)
    if isinstance(value, Decimal):
        value = str(feel.to_plain(value))
    if not isinstance(value, str) or not value or len(value) > LONGEST_KEY:
        raise Trouble("correlation_key_invalid", f"消息的关联键应是文字或数字（不超过 {LONGEST_KEY} 个字符），现在算不出来")
    return value


def _lifetime(run: "Run", token: Token, formula: Formula | None) -> timedelta | None:
    if formula is None:
        return None
    value, _ = evaluate(run, token, formula)
    try:
        return Interval.of(value).after(run.env.now, run.env.zone) - run.env.now
    except (ValueError, OverflowError) as error:
        raise Trouble("lifetime_invalid", f"消息的有效时间不正确：{error}") from None
