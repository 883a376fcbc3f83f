"""The token game: one command's moves, from its first to the rest in which every token waits.

Moves stand in a queue, so nothing recurses however long a diagram or however often a loop goes round. A token's way through its element
is a row of stages (`state.Stage`); a stage either succeeds or leaves its token as an incident to be retried from the same stage, so a
stage must evaluate everything before it changes anything.
"""

from collections import deque
from decimal import Decimal

from engine import feel
from engine.workflow import activities, joins
from engine.workflow.formula import Environment
from engine.workflow.model import Element, Flow, Kind
from engine.workflow.state import ROOT, Fault, Stage, TimerState, Token
from engine.workflow.timing import occurrence
from engine.workflow.trouble import Trouble
from engine.workflow.variables import propagate


class Run:
    """One command on one case. `case` gives tokens, alarms, visits, `new_id()`, `process` and takes steps by `step(…)`."""

    def __init__(self, case, env: Environment):
        self.case, self.env = case, env
        self.process, self.tokens, self.step = case.process, case.tokens, case.step
        self._queue: deque = deque()
        self._entered = 0

    def go(self) -> None:
        """Make moves until nothing can move without a person or a timer."""
        while True:
            while self._queue:
                move, where, arguments = self._queue.popleft()
                if where in self.tokens:  # else what it was for has been cancelled
                    move(self.tokens[where], *arguments)
            if self.case.ended or not self._settle():
                return

    def advance_later(self, token: Token, stage: Stage | None = None) -> None:
        """Queue the next stage of a token."""
        token.stage = stage or token.stage
        self._push(self._advance, token)

    def element(self, token: Token) -> Element:
        """Of any token but the case itself."""
        return self.process.elements[token.element]

    def _push(self, move, where: Token, *arguments) -> None:
        self._queue.append((move, where.id, arguments))

    # --- arriving and entering ------------------------------------------------------------------------------------------

    def _arrive(self, scope: Token, flow: Flow) -> None:
        element = self.process.elements[flow.target]
        if not element.joins:
            self.enter(scope, element)
            return
        scope.arrived[flow.id] = scope.arrived.get(flow.id, 0) + 1
        self.step("join:waiting", element, scope, flow=flow.id)
        if element.kind is Kind.PARALLEL and joins.parallel_ready(element, scope.arrived):
            self._join(scope, element)

    def _join(self, scope: Token, element: Element) -> None:
        """Take one token from every flow that has any, and go on as one."""
        flows = [flow.id for flow in element.incoming if flow.id in scope.arrived]
        for flow in flows:
            scope.arrived[flow] -= 1
            if not scope.arrived[flow]:
                del scope.arrived[flow]
        self.step("join:fired", element, scope, flows=flows)
        self.enter(scope, element)

    def enter(self, scope: Token, element: Element) -> None:
        """A token begins in `element`. Of an element that loops, the first token is the loop; its rounds are tokens inside it."""
        token = Token(self.case.new_id(), element.id, scope.id, Stage.ENTERING, self.env.now)
        token.is_loop = element.loop is not None and not scope.is_loop
        self.tokens[token.id] = token
        if token.is_loop:
            token.variables["loopCounter"] = Decimal(0)  # what a condition asked before the first round sees
            self.step("loop:started", element, token)
        else:
            token.visit = self.case.visits[element.id] = self.case.visits.get(element.id, 0) + 1
            self.step("element:entered", element, token, visit=token.visit, **({"round": scope.rounds} if scope.is_loop else {}))
        self._entered += 1
        if self._entered > self.env.visits:
            message = f"一次办理中自动走过的环节超过 {self.env.visits} 个:流程在原地打转,中间没有任何等待"
            self._raise(token, Trouble("runs_in_circle", message))
        else:
            self.advance_later(token)

    # --- the stages of a token ------------------------------------------------------------------------------------------

    def _advance(self, token: Token) -> None:
        try:
            _STAGES[token.stage](self, token)
        except Trouble as trouble:
            self._raise(token, trouble)

    def _raise(self, token: Token, trouble: Trouble, element: Element | None = None) -> None:
        token.fault = Fault(element.id if element else token.element, trouble.code, trouble.message, self.env.now)
        self.step("incident:raised", element or self.element(token), token, code=trouble.code, message=trouble.message)

    def _begin(self, token: Token) -> None:
        element, is_round = self.element(token), self.tokens[token.parent].is_loop
        made = {} if token.is_loop else activities.mapped(self, token, element.inputs)
        watched = () if is_round else [self.process.elements[event] for event in element.boundary]
        alarms = [(event, activities.schedule_of(self, token, event)) for event in watched]
        self.write_local(token, made)
        for event, schedule in alarms:
            self.set_alarm(token, event, schedule)
        self.advance_later(token, Stage.LOOPING if token.is_loop else Stage.ACTING)

    def _act(self, token: Token) -> None:
        element = self.element(token)
        activities.WORK.get(element.kind, activities.pass_through)(self, token, element)

    def _decide_round(self, loop: Token) -> None:
        element = self.element(loop)
        again = activities.goes_round(self, loop, element)
        if not again:
            self.advance_later(loop, Stage.LEAVING)
            return
        loop.rounds += 1
        loop.variables["loopCounter"] = Decimal(loop.rounds)
        loop.stage = Stage.INSIDE
        self.enter(loop, element)

    def _leave(self, token: Token) -> None:
        element, scope = self.element(token), self.tokens[token.parent]
        made = {} if token.is_loop else activities.mapped(self, token, element.outputs)
        flows = () if scope.is_loop else activities.ways(self, token, element)
        self.write(scope, made, element)
        self._remove(token, "loop:completed" if token.is_loop else "element:completed")
        if scope.is_loop:
            self.advance_later(scope, Stage.LOOPING)
        elif element.kind is Kind.TERMINATE_END:
            self._terminate(scope, element)
        for flow in flows:
            self.step("flow:taken", element, token, flow=flow.id, target=flow.target)
            self._push(self._arrive, scope, flow)

    # --- ending ---------------------------------------------------------------------------------------------------------

    def _settle(self) -> bool:
        """Everything rests: end the scopes that are empty, or else let one inclusive join fire. Whether anything moved."""
        busy = {token.parent for token in self.tokens.values()}
        empty = [t for t in self.tokens.values() if t.stage is Stage.INSIDE and not t.is_loop and t.id not in busy and not t.arrived]
        for scope in empty:
            if scope.id == ROOT:
                self.case.finish()
            else:
                self.advance_later(scope, Stage.LEAVING)
        return bool(empty) or self._fire_inclusive() or self._find_deadlock()

    def _fire_inclusive(self) -> bool:
        for scope in list(self.tokens.values()):
            waiting = dict.fromkeys(self.process.flows[flow].target for flow in scope.arrived)
            for target in waiting:
                element = self.process.elements[target]
                if element.kind is not Kind.INCLUSIVE:
                    continue
                others = {t.element for t in self.tokens.values() if t.parent == scope.id} | waiting.keys() - {target}
                if joins.inclusive_ready(element, scope.arrived, self.process.reach[target], others):
                    self._join(scope, element)
                    return True
        return False

    def _find_deadlock(self) -> bool:
        """Tokens wait before joins and nothing is left that could bring the missing ones: an operator must know."""
        if not self.case.alarms and all(t.stage is Stage.INSIDE and not t.fault for t in self.tokens.values()):
            for scope in self.tokens.values():
                if scope.arrived:
                    join = self.process.elements[self.process.flows[next(iter(scope.arrived))].target]
                    message = f"流程停住了:“{join.name or join.id}”在等一个不会再来的分支"
                    self._raise(scope, Trouble("deadlock", message), join)
        return False

    def _terminate(self, scope: Token, element: Element) -> None:
        self.cancel([t for t in self.tokens.values() if t.parent == scope.id], by=element.id)
        scope.arrived.clear()
        self._queue = deque(entry for entry in self._queue if entry[1] != scope.id)

    def cancel(self, roots: list[Token], **facts) -> None:
        """End tokens with everything inside them, the innermost first."""
        children: dict[int | None, list[Token]] = {}
        for token in self.tokens.values():
            children.setdefault(token.parent, []).append(token)
        levels = [roots]
        while levels[-1]:
            levels.append([child for token in levels[-1] for child in children.get(token.id, ())])
        for token in [token for level in reversed(levels) for token in level]:
            if token.offer is not None:
                self.step("wait:cancelled", self.element(token), token, **facts)
            self._remove(token, "loop:cancelled" if token.is_loop else "element:cancelled", **facts)

    def _remove(self, token: Token, kind: str, **facts) -> None:
        for alarm in [alarm for alarm in self.case.alarms.values() if alarm.token == token.id]:
            self.step("timer:cancelled", self.process.elements[alarm.element], token, timer=alarm.id)
            del self.case.alarms[alarm.id]
        del self.tokens[token.id]
        self.step(kind, self.element(token), token, **facts)

    # --- timers ---------------------------------------------------------------------------------------------------------

    def set_alarm(self, token: Token, event: Element, schedule) -> None:
        """Make a timer of `event` that wakes `token`."""
        alarm = TimerState(self.case.new_id(), token.id, event.id, schedule.due, self.env.now)
        alarm.interval, alarm.repeats, alarm.anchor = schedule.interval, schedule.repeats, schedule.anchor
        self.case.alarms[alarm.id] = alarm
        self.step("timer:set", event, token, timer=alarm.id, due=alarm.due.isoformat(), repeats=alarm.repeats)

    def fire(self, alarm: TimerState) -> None:
        """A timer is due: its catch event goes on, or its boundary event begins and ends its host if it interrupts."""
        event, host = self.process.elements[alarm.element], self.tokens[alarm.token]
        following = self._following(alarm, event)
        facts = {"timer": alarm.id, "due": alarm.due.isoformat(), "next": following and following.isoformat()}
        self.step("timer:fired", event, host, **facts)
        alarm.fired += 1
        if following:
            alarm.due = following
        else:
            del self.case.alarms[alarm.id]
        if event.kind is Kind.TIMER_CATCH:
            self.advance_later(host, Stage.LEAVING)
            return
        scope = self.tokens[host.parent]
        if event.interrupting:
            self.cancel([host], by=event.id)
        self.enter(scope, event)

    def _following(self, alarm: TimerState, event: Element):
        """When the timer is due again, None if never."""
        if not (alarm.interval and event.repeats) or (alarm.repeats is not None and alarm.fired + 1 >= alarm.repeats):
            return None
        try:
            return occurrence(alarm.interval, alarm.fired + 1, alarm.since, alarm.anchor, self.env.zone)
        except OverflowError:
            return None

    # --- variables ------------------------------------------------------------------------------------------------------

    def write_local(self, token: Token, values: dict) -> None:
        """Variables of the token's own scope."""
        for name, value in values.items():
            token.variables[name] = value
        if values:
            self.step("variable:set", self.element(token), token, names=list(values), local=True, _values=encoded(values))

    def write(self, token: Token, values: dict, element: Element) -> None:
        """Write outwards from the token's scope; `element` is who writes."""
        propagate(self.tokens, token, values)
        if values:
            self.step("variable:set", element, token, names=list(values), local=False, _values=encoded(values))

    def store(self, token: Token, values: dict) -> None:
        """What an element produced: with output mappings it stays local and only they let something out."""
        if self.element(token).outputs:
            self.write_local(token, values)
        else:
            self.write(token, values, self.element(token))


def encoded(values: dict) -> dict:
    """FEEL values as tagged JSON, for the sealed part of a step."""
    return {name: feel.encode(value) for name, value in values.items()}


_STAGES = {
    Stage.ENTERING: Run._begin,
    Stage.ACTING: Run._act,
    Stage.LOOPING: Run._decide_round,
    Stage.LEAVING: Run._leave,
    Stage.INSIDE: lambda run, token: None,
}
