"""The token game: one command's moves, from its first to the rest in which every token waits.

Moves stand in a queue, so nothing recurses however long a diagram or however often a loop goes round. A token's way through its element
is a row of stages (`state.Stage`); a stage either succeeds or leaves its token as an incident to be retried from the same stage, so a
stage must evaluate everything before it changes anything.
"""

from collections import deque
from collections.abc import Collection

from engine import feel
from engine.workflow import activities, events, joins, rounds
from engine.workflow.evaluation import encoded, mapped
from engine.workflow.formula import Environment
from engine.workflow.model import Element, Flow, Kind, Trigger
from engine.workflow.state import ROOT, Fault, Stage, TimerState, Token
from engine.workflow.steps import Outgoing
from engine.workflow.timing import Schedule, occurrence, passed
from engine.workflow.trouble import Trouble
from engine.workflow.variables import propagate


class Run:
    """One command on one case. `case` gives tokens, alarms, awaited, visits, `new_id()`, `process`; it takes steps by `step(…)` and wishes
    by `ask(…)`. `changed`: variables have been written since conditions were last looked at."""

    def __init__(self, case, env: Environment):
        self.case, self.env = case, env
        self.process, self.tokens, self.step = case.process, case.tokens, case.step
        self.changed = False
        self.verdicts: dict[int, tuple[bool, dict]] = {}  # whether the instances of a body are enough, as the one that has just ended sees it
        self._queue: deque = deque()
        self._entered = 0

    def go(self) -> None:
        """Make moves until nothing can move without the world outside."""
        while not self.case.ended:
            while self._queue:
                move, where, arguments = self._queue.popleft()
                if where in self.tokens:  # else what it was for has been cancelled
                    move(self.tokens[where], *arguments)
                    if self.changed and self.case.awaited and not self.case.ended:  # what is true between two steps only has been true all the same
                        events.check_conditions(self, moving={token for step, token, _ in self._queue if step == self._advance})
            if self.case.ended or not (events.check_conditions(self) or self._settle()):
                return

    def advance_later(self, token: Token, stage: Stage | None = None) -> None:
        """Queue the next stage of a token."""
        token.stage = stage or token.stage
        self._push(self._advance, token)

    def turn_now(self, body: Token, verdict: tuple[bool, dict] | None = None) -> None:
        """Queue the turn of a body before all else: whether that was enough is asked after each round that ends, not after several.

        `verdict`: the answer, and what it was decided from.
        """
        body.stage = Stage.LOOPING
        if verdict:
            self.verdicts[body.id] = verdict
        self._queue.appendleft((self._advance, body.id, ()))

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
            self.join(scope, element)

    def join(self, scope: Token, element: Element) -> None:
        """Take one token from every flow that has any, and go on as one."""
        flows = [flow.id for flow in element.incoming if flow.id in scope.arrived]
        for flow in flows:
            scope.arrived[flow] -= 1
            if not scope.arrived[flow]:
                del scope.arrived[flow]
        self.step("join:fired", element, scope, flows=flows)
        self.enter(scope, element)

    def enter(self, scope: Token, element: Element) -> Token:
        """A token begins in `element`. Of an element with rounds, the first token is the body; the rounds are tokens inside it."""
        token = Token(self.case.new_id(), element.id, scope.id, Stage.ENTERING, self.env.now)
        token.is_loop = element.has_body and not scope.is_loop
        self.tokens[token.id] = token
        if not token.is_loop:
            token.visit = self.case.visits[element.id] = self.case.visits.get(element.id, 0) + 1
            self.step("element:entered", element, token, visit=token.visit, **({"round": scope.rounds} if scope.is_loop else {}))
        self._entered += 1
        if self._entered > self.env.visits:
            message = f"一次办理中自动走过的环节超过 {self.env.visits} 个：流程在原地打转，中间没有任何等待"
            self.trouble(token, Trouble("runs_in_circle", message))
        else:
            self.advance_later(token)
        return token

    # --- the stages of a token ------------------------------------------------------------------------------------------

    def _advance(self, token: Token) -> None:
        if token.is_loop and token.is_stuck:
            return  # another of its rounds has ended; it is stuck all the same
        try:
            _STAGES[token.stage](self, token)
        except Trouble as trouble:
            self.trouble(token, trouble)

    def trouble(self, token: Token, trouble: Trouble, element: Element | None = None) -> None:
        """Leave a token as an incident; `element` is where, if not its own."""
        element = element or self.process.elements.get(token.element)
        token.fault = Fault(element.id if element else None, trouble.code, trouble.message, self.env.now)
        self.step("incident:raised", element, token, code=trouble.code, message=trouble.message)

    def _begin(self, token: Token) -> None:
        if token.id == ROOT:
            self._begin_case(token)
            return
        element, is_round = self.element(token), self.tokens[token.parent].is_loop
        made = rounds.prepare(self, token, element) if token.is_loop else mapped(self, token, element.inputs, merges=False)
        watched = () if is_round else [self.process.elements[event] for event in element.boundary]
        planned = events.plans(self, token, watched, None if token.is_loop else made)
        if token.is_loop:
            rounds.announce(self, token, element)
            for name, value in made.items():
                token.variables[name] = value
        else:
            self.write_local(token, made)
        events.begin_waiting(self, token, planned)
        self.advance_later(token, Stage.LOOPING if token.is_loop else Stage.ACTING)

    def _begin_case(self, root: Token) -> None:
        planned = events.plans(self, root, events.watchers(self, root))
        events.begin_waiting(self, root, planned)
        first = self.enter(root, self.process.elements[root.begin])
        first.given, root.given = root.given, None
        root.begin, root.stage = None, Stage.INSIDE

    def _act(self, token: Token) -> None:
        element = self.element(token)
        if token.given is None or element.kind is Kind.EVENT_SUBPROCESS:
            activities.work(element)(self, token, element)
            return
        values, token.given = {name: feel.decode(value) for name, value in token.given.items()}, None  # the event has happened already
        self.store(token, values)
        self.advance_later(token, Stage.LEAVING)

    def _leave(self, token: Token) -> None:
        element, scope = self.element(token), self.tokens[token.parent]
        made = rounds.results(token, element) if token.is_loop else mapped(self, token, element.outputs)
        gathered = rounds.gather(self, token, element, made) if scope.is_loop else {}
        verdict = rounds.judge(self, token, element, made | gathered) if scope.is_loop else None
        flows = () if scope.is_loop else activities.ways(self, token, element)
        self.write(scope, rounds.outward(element, made) if scope.is_loop else made, element)
        self.remove(token, self._ending(token, "completed"), **({"done": token.done} if token.total else {}))
        if scope.is_loop:
            scope.done += 1
            for name, value in gathered.items():
                scope.variables[name] = value
            self.turn_now(scope, verdict)
        self._go_on(token, scope, element, flows)

    def leave_by_hand(self, token: Token, flows: tuple[Flow, ...]) -> None:
        """Leave as an operator says: nothing inside goes on, no outputs are made."""
        element, scope = self.element(token), self.tokens[token.parent]
        self.clear(token)
        token.fault = None
        self.let_go(token)
        self.remove(token, self._ending(token, "completed"))
        if scope.is_loop:
            scope.done += 1
            self.turn_now(scope)
        self._go_on(token, scope, element, flows)

    def _go_on(self, token: Token, scope: Token, element: Element, flows: tuple[Flow, ...]) -> None:
        if element.kind is Kind.END and element.trigger is Trigger.TERMINATE:
            self.clear(scope, by=element.id)
        elif element.kind is Kind.THROW and element.trigger is Trigger.LINK:
            self.step("link:followed", element, token, target=element.link)
            self.enter(scope, self.process.elements[element.link]).given = {}
        for flow in flows:
            self.step("flow:taken", element, token, flow=flow.id, target=flow.target)
            self._push(self._arrive, scope, flow)

    def _ending(self, token: Token, how: str) -> str:
        if not token.is_loop:
            return f"element:{how}"
        return f"instances:{how}" if self.element(token).multi else f"loop:{how}"

    # --- ending ---------------------------------------------------------------------------------------------------------

    def _settle(self) -> bool:
        """Everything rests: end the scopes that are empty, or else let one inclusive join fire. Whether anything moved."""
        busy = {token.parent for token in self.tokens.values()}
        empty = [t for t in self.tokens.values() if t.stage is Stage.INSIDE and not t.is_loop and t.id not in busy and not t.arrived]
        for scope in empty:
            if scope.id == ROOT:
                self.stop_waiting(scope)  # its event subprocesses begin no more
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
                    self.join(scope, element)
                    return True
        return False

    def _find_deadlock(self) -> bool:
        """A token waits before a join that nothing left in its scope can complete, whatever is waited for elsewhere: an operator must know."""
        for scope in [token for token in self.tokens.values() if token.arrived and not token.fault]:
            inside = {token.element for token in self.tokens.values() if token.parent == scope.id}
            for target in dict.fromkeys(self.process.flows[flow].target for flow in scope.arrived):
                join = self.process.elements[target]
                if joins.hopeless(join, scope.arrived, self.process.reach[target], inside, join.kind is Kind.PARALLEL):
                    message = f"流程停住了：“{join.name or join.id}”在等一个不会再来的分支"
                    self.trouble(scope, Trouble("deadlock", message), join)
                    break
        return False

    def clear(self, scope: Token, **facts) -> None:
        """End everything inside a scope, but not the scope."""
        self.cancel([token for token in self.tokens.values() if token.parent == scope.id], **facts)
        scope.arrived.clear()
        scope.fault = None
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
            self.let_go(token, **facts)
            self.remove(token, self._ending(token, "cancelled"), **facts)

    def let_go(self, token: Token, **facts) -> None:
        """Whoever works for a token need not any more."""
        element = self.process.elements.get(token.element)
        if token.offer is not None:
            self.step("wait:cancelled", element, token, **facts)
        if token.job is not None:
            self.step("job:cancelled", element, token, type=token.job.type, **facts)
        if token.call is not None:
            self.step("call:cancelled", element, token, process=token.call, **facts)
            self.case.ask(Outgoing("call_cancelled", token.id, token.call))
        token.offer = token.job = token.call = None

    def remove(self, token: Token, kind: str, **facts) -> None:
        """A token is gone, and with it what it waited for."""
        self.stop_waiting(token)
        del self.tokens[token.id]
        self.step(kind, self.element(token), token, **facts)

    def stop_waiting(self, token: Token, only: Collection[str] | None = None) -> None:
        """End the timers and subscriptions of a token, or only those for some events."""
        for alarm in [a for a in self.case.alarms.values() if a.token == token.id and (only is None or a.element in only)]:
            self.step("timer:cancelled", self.process.elements[alarm.element], token, timer=alarm.id)
            del self.case.alarms[alarm.id]
        for wait in [w for w in self.case.awaited.values() if w.token == token.id and (only is None or w.element in only)]:
            self.step("wait:over", self.process.elements[wait.element], token, subscription=wait.id)
            del self.case.awaited[wait.id]

    # --- timers ---------------------------------------------------------------------------------------------------------

    def set_alarm(self, token: Token, event: Element, schedule: Schedule) -> None:
        """Make a timer of `event` that wakes `token`."""
        alarm = TimerState(self.case.new_id(), token.id, event.id, schedule.due, self.env.now)
        self.plan_alarm(alarm, schedule)
        self.case.alarms[alarm.id] = alarm
        self.step("timer:set", event, token, timer=alarm.id, due=alarm.due.isoformat(), repeats=alarm.repeats)

    def plan_alarm(self, alarm: TimerState, schedule: Schedule) -> None:
        """Let a timer be due as a schedule says."""
        alarm.due, alarm.interval, alarm.repeats = schedule.due, schedule.interval, schedule.repeats
        alarm.anchor, alarm.fired = schedule.anchor, schedule.passed

    def fire(self, alarm: TimerState) -> None:
        """A timer is due. What it should have done more than once meanwhile it does once; its next time is as if nothing had been missed."""
        event, host = self.process.elements[alarm.element], self.tokens[alarm.token]
        past, following = alarm.fired + 1, None
        if alarm.interval and event.repeats:
            past = passed(alarm.interval, alarm.since, alarm.anchor, self.env.zone, self.env.now, past)
            past = past if alarm.repeats is None else min(past, alarm.repeats)
            following = self._occurrence(alarm, past)
        facts = {"timer": alarm.id, "due": alarm.due.isoformat(), "next": following and following.isoformat()}
        self.step("timer:fired", event, host, **facts, missed=past - alarm.fired - 1 or None)
        alarm.fired = past
        if following:
            alarm.due = following
        else:
            del self.case.alarms[alarm.id]
        events.catch(self, host, event, {})

    def _occurrence(self, alarm: TimerState, count: int):
        """When the timer is due after `count` occurrences, None if never."""
        if alarm.repeats is not None and count >= alarm.repeats:
            return None
        try:
            return occurrence(alarm.interval, count, alarm.since, alarm.anchor, self.env.zone)
        except OverflowError:
            return None

    # --- variables ------------------------------------------------------------------------------------------------------

    def write_local(self, token: Token, values: dict) -> None:
        """Variables of the token's own scope."""
        for name, value in values.items():
            token.variables[name] = value
        if values:
            self.changed = True
            self.step("variable:set", self.element(token), token, names=list(values), local=True, _values=encoded(values))

    def write(self, token: Token, values: dict, element: Element) -> None:
        """Write outwards from the token's scope; `element` is who writes."""
        propagate(self.tokens, token, values)
        if values:
            self.changed = True
            self.step("variable:set", element, token, names=list(values), local=False, _values=encoded(values))

    def store(self, token: Token, values: dict) -> None:
        """What an element produced: with output mappings it stays local and only they let something out."""
        if self.element(token).outputs:
            self.write_local(token, values)
        else:
            self.write(token, values, self.element(token))


_STAGES = {
    Stage.ENTERING: Run._begin,
    Stage.ACTING: Run._act,
    Stage.LOOPING: rounds.turn,
    Stage.LEAVING: Run._leave,
    Stage.WAITING: lambda run, token: None,
    Stage.INSIDE: lambda run, token: None,
}
