"""A running case: what commands call. It never reads a clock and never fires by itself; every command runs it to its next rest."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.exceptions import InvalidRequest, NoSuchSubscription, NoSuchTimer, NoSuchToken
from engine.workflow import events, state as stored
from engine.workflow.evaluation import encoded, offer_of, schedule_of
from engine.workflow.formula import Environment
from engine.workflow.game import Run
from engine.workflow.model import Element, Process, Trigger
from engine.workflow.state import ROOT, Stage, SubscriptionState, TimerState, Token
from engine.workflow.steps import Call, Incident, Job, Outgoing, Step, Subscription, Timer, Wait
from engine.workflow.trouble import Trouble
from engine.workflow.variables import visible


class Case:
    """Tokens of one process. Not shared between threads; the process is."""

    def __init__(self, process: Process):
        """Empty: use `start` or `restore`."""
        self.process = process
        self.tokens: dict[int, Token] = {}
        self.alarms: dict[int, TimerState] = {}
        self.awaited: dict[int, SubscriptionState] = {}
        self.visits: dict[str, int] = {}
        self.next_id = ROOT
        self.ended: str | None = None
        self.called = False  # whether another case waits for this one
        self.failure: str | None = None  # the error code by which a called case ended
        self._steps: list[Step] = []
        self._outgoing: list[Outgoing] = []

    @classmethod
    def start(
        cls,
        process: Process,
        variables: Mapping[str, Any],
        env: Environment,
        start_event: str | None = None,
        called: bool = False,
        brought: Mapping[str, Any] | None = None,
    ) -> "Case":
        """A new case, run to its first waits. `start_event`: if not given, the one without a trigger. `called`: another case waits for
        it. `brought`: what the message or signal brought that starts it.

        Raises NoSuchToken for an unknown start event.
        """
        event = process.elements.get(start_event or process.start_events[0])
        if event is None or event.id not in process.start_events:
            raise NoSuchToken(token=start_event)
        case = cls(process)
        case.called = called
        root = Token(case.new_id(), None, None, Stage.ENTERING, env.now, begin=event.id)
        root.given = None if brought is None else encoded(brought)
        for name, value in variables.items():
            root.variables[name] = value
        case.tokens[root.id] = root
        case.step("case:started", None, root, start=event.id, _values=root.variables.stored())
        run = Run(case, env)
        run.advance_later(root)
        run.go()
        return case

    @classmethod
    def restore(cls, process: Process, state: dict) -> "Case":
        """The case that `state()` described. Raises StateUnreadable."""
        case = cls(process)
        stored.load(case, state)
        return case

    def state(self) -> dict:
        """Everything needed to go on, as JSON without the procedure (see `engine.workflow.state`)."""
        return stored.dump(self)

    # --- what it is waiting for -----------------------------------------------------------------------------------------

    @property
    def status(self) -> str:
        """active | incident | completed | cancelled."""
        return self.ended or ("incident" if any(token.fault for token in self.tokens.values()) else "active")

    def waits(self) -> list[Wait]:
        """Open user tasks, the oldest first."""
        open_tasks = [token for token in self.tokens.values() if token.offer is not None]
        return [Wait.of(token, self.process) for token in sorted(open_tasks, key=lambda token: token.id)]

    def timers(self) -> list[Timer]:
        """Due times the host must watch, the next one first."""
        return [Timer.of(alarm, self.process) for alarm in sorted(self.alarms.values(), key=lambda alarm: (alarm.due, alarm.id))]

    def subscriptions(self) -> list[Subscription]:
        """Messages and signals it waits for, the oldest first. Conditions concern nobody else."""
        outside = [wait for wait in self.awaited.values() if wait.trigger != Trigger.CONDITION]
        element = self.process.elements
        return [Subscription(w.id, w.token, element[w.element], Trigger(w.trigger), w.name, w.key, w.since) for w in outside]

    def jobs(self) -> list[Job]:
        """Work that programs may fetch."""
        offered = [token for token in self.tokens.values() if token.job and not token.is_stuck]
        return [Job(t.id, self.process.elements[t.element], t.job.type, t.job.retries, t.job.headers, t.since) for t in offered]

    def calls(self) -> list[Call]:
        """Elements that wait for a called case."""
        return [Call(t.id, self.process.elements[t.element], t.call, t.since) for t in self.tokens.values() if t.call]

    def drain_outgoing(self) -> list[Outgoing]:
        """What the case asked of the world outside since the last call, in order."""
        asked, self._outgoing = self._outgoing, []
        return asked

    def incidents(self) -> list[Incident]:
        """Tokens that cannot go on."""
        faults = [(token.id, token.fault) for token in self.tokens.values() if token.fault]
        return [Incident(at, self.process.elements.get(f.element), f.code, f.message, f.since) for at, f in faults]

    def visible(self, token: int) -> dict[str, Any]:
        """The variables a token sees. Raises NoSuchToken."""
        return visible(self.tokens, self._token(token))

    def variables(self) -> dict[str, Any]:
        """The case's own variables, also after its end."""
        return self.tokens[ROOT].variables.as_dict()

    def drain_steps(self) -> list[Step]:
        """What happened since the last call, in order."""
        steps, self._steps = self._steps, []
        return steps

    # --- commands -------------------------------------------------------------------------------------------------------

    def complete(self, token: int, data: Mapping[str, Any], env: Environment) -> None:
        """A person has done a user task; `data` are FEEL values. Raises NoSuchToken if it is not open."""
        done = self._token(token)
        if done.offer is None:
            raise NoSuchToken(token=token)
        done.offer = None
        run = Run(self, env)
        self.step("wait:completed", run.element(done), done)
        run.store(done, dict(data))
        run.advance_later(done, Stage.LEAVING)
        run.go()

    def fire(self, timer: int, env: Environment) -> None:
        """A timer is due (the host decides when). Raises NoSuchTimer."""
        run = Run(self, env)
        run.fire(self._alarm(timer))
        run.go()

    def correlate(self, subscription: int, variables: Mapping[str, Any], env: Environment) -> None:
        """A message or signal that was waited for has come. Raises NoSuchSubscription."""
        wait = self.awaited.get(subscription)
        if wait is None or wait.trigger == Trigger.CONDITION:
            raise NoSuchSubscription(subscription=subscription)
        run = Run(self, env)
        events.happen(run, wait, variables)
        run.go()

    def signal(self, name: str, variables: Mapping[str, Any], env: Environment) -> None:
        """A signal is heard by everything in this case that waits for it; perhaps nothing."""
        run = Run(self, env)
        events.signal(run, name, variables)
        run.go()

    def complete_job(self, token: int, variables: Mapping[str, Any], env: Environment) -> None:
        """A program has done its work. Raises NoSuchToken if it was not asked for."""
        done = self._job(token)
        kind, done.job = done.job.type, None
        run = Run(self, env)
        self.step("job:completed", run.element(done), done, type=kind)
        self._finish(run, done, variables)

    def fail_job(self, token: int, message: str, retries: int, env: Environment) -> None:
        """A program could not do its work; with no `retries` left it is an incident, and `retry` offers it once more. Raises NoSuchToken."""
        failed = self._job(token)
        failed.job.retries = retries
        run = Run(self, env)
        self.step("job:failed", run.element(failed), failed, type=failed.job.type, retries=retries, _message=message)
        if retries <= 0:
            run.trouble(failed, Trouble("job_failed", f"作业“{failed.job.type}”多次没有完成"))
        run.go()

    def throw_error(self, token: int, code: str, variables: Mapping[str, Any], env: Environment) -> None:
        """A program's work or a called case ended in an error that the diagram may provide for. Raises NoSuchToken.

        Where nothing catches it, it becomes an incident.
        """
        thrower = self._working(token)
        run = Run(self, env)
        try:
            events.throw_error(run, thrower, run.element(thrower), code, variables)
        except Trouble as trouble:
            run.trouble(thrower, trouble)
        run.go()

    def throw_escalation(self, token: int, code: str, variables: Mapping[str, Any], env: Environment) -> None:
        """A called case escalates. Raises NoSuchToken."""
        thrower = self._working(token)
        run = Run(self, env)
        events.throw_escalation(run, thrower, run.element(thrower), code, variables)
        run.go()

    def finish_call(self, token: int, variables: Mapping[str, Any], env: Environment) -> None:
        """A called case has ended well, with these variables. Raises NoSuchToken."""
        done = self._token(token)
        if done.call is None:
            raise NoSuchToken(token=token)
        process, done.call, done.fault = done.call, None, None
        run = Run(self, env)
        element = run.element(done)
        self.step("call:completed", element, done, process=process)
        if (body := self.tokens[done.parent]).is_loop:  # counter and results are the body's own; the called case had an old copy
            variables = {name: value for name, value in variables.items() if name not in body.variables}
        if not element.call.takes_all:  # only what output mappings pick
            run.write_local(done, dict(variables) if element.outputs else {})
            variables = {}
        self._finish(run, done, variables)

    def refuse_call(self, token: int, code: str, message: str, env: Environment) -> None:
        """What an element calls cannot be begun: an incident; `retry` calls anew. Raises NoSuchToken."""
        failed = self._token(token)
        if failed.call is None:
            raise NoSuchToken(token=token)
        run = Run(self, env)
        run.trouble(failed, Trouble(code, message))
        run.go()

    def _finish(self, run: Run, done: Token, variables: Mapping[str, Any]) -> None:
        run.store(done, dict(variables))
        run.advance_later(done, Stage.LEAVING)
        run.go()

    def retry(self, token: int, env: Environment) -> None:
        """Try again what failed at a token. Raises NoSuchToken if it has no incident."""
        failed = self._token(token)
        if failed.fault is None:
            raise NoSuchToken(token=token)
        was_stuck, fault, failed.fault = failed.is_stuck, failed.fault, None
        if failed.job:
            failed.job.retries = max(1, failed.job.retries)
        if failed.call and was_stuck:  # the called case is over: call anew
            failed.call, failed.stage = None, Stage.ACTING
        self.step("incident:resolved", self.process.elements.get(fault.element), failed, code=fault.code)
        run = Run(self, env)
        run.changed = True  # a condition that could not be evaluated is tried again
        run.advance_later(failed)
        run.go()

    def cancel(self, env: Environment, reason: str) -> None:
        """End the case at once. Nothing happens to one that has ended."""
        if self.ended:
            return
        root, run = self.tokens[ROOT], Run(self, env)
        run.clear(root)
        run.stop_waiting(root)
        self.ended = "cancelled"
        self.step("case:cancelled", None, root, _reason=reason)

    def move_on(self, token: int, env: Environment, flow: str | None = None) -> None:
        """By hand: leave the element where a token is as if it were done, without its outputs. `flow`: the way, where the diagram leaves a
        choice. A scope whose tokens are stuck before a join passes the join with those that have come.

        Raises NoSuchToken, InvalidRequest.
        """
        moved = self._token(token)
        stuck = self.process.elements.get(moved.fault.element) if moved.fault else None
        run = Run(self, env)
        if stuck is not None and stuck.joins and moved.fault.code == "deadlock":
            moved.fault = None
            self.step("token:moved", stuck, moved)
            run.join(moved, stuck)
        elif moved.element is None:
            raise NoSuchToken(token=token)
        else:
            self._leave_by_hand(run, moved, flow)
        run.go()

    def _leave_by_hand(self, run: Run, moved: Token, flow: str | None) -> None:
        element, is_round = run.element(moved), self.tokens[moved.parent].is_loop
        ways = [] if is_round else [way for way in element.outgoing if flow in (None, way.id)]
        choice = element.kind.is_gateway and len(ways) > 1 or any(way.condition or way.is_default for way in ways)
        if flow is not None and len(ways) != 1 or flow is None and choice and len(element.outgoing) > 1:
            raise InvalidRequest(field="flow", reason="请写明从哪条连线继续：" + "、".join(way.id for way in element.outgoing))
        self.step("token:moved", element, moved, flow=flow)
        run.leave_by_hand(moved, tuple(ways))

    def correct(self, variables: Mapping[str, Any], env: Environment, token: int = ROOT) -> None:
        """By hand: write variables into the scope of a token, or of the case. Raises NoSuchToken; InvalidRequest for what holds the rounds
        of a loop or multi-instance, which alone write what it gathers."""
        scope = self._token(token)
        if scope.is_loop:
            raise InvalidRequest(field="token", reason="这里汇集各次重复的结果，只由它们自己写；请更正其中一次，或外面的变量")
        for name, value in variables.items():
            scope.variables[name] = value
        element = self.process.elements.get(scope.element)
        self.step("variable:corrected", element, scope, names=list(variables), _values=encoded(variables))
        run = Run(self, env)
        run.changed = True
        run.go()

    def reschedule(self, timer: int, env: Environment) -> None:
        """Work out a due time anew, counted from when the timer was set: after a change of the calendar.

        One whose expression fails now keeps its old time. Raises NoSuchTimer.
        """
        alarm = self._alarm(timer)
        event, token, run = self.process.elements[alarm.element], self.tokens[alarm.token], Run(self, env)
        try:
            fresh = schedule_of(run, token, event, alarm.since)
        except Trouble:
            return
        if alarm.fired <= fresh.passed and fresh.due != alarm.due:
            self.step("timer:moved", event, token, timer=alarm.id, due=fresh.due.isoformat(), was=alarm.due.isoformat())
            run.plan_alarm(alarm, fresh)

    def redate(self, token: int, env: Environment) -> None:
        """Work out the due and follow-up times of an open user task anew, counted from when it opened. Raises NoSuchToken."""
        waiting = self._token(token)
        if waiting.offer is None:
            raise NoSuchToken(token=token)
        run = Run(self, env)
        try:
            fresh = offer_of(run, waiting, run.element(waiting), waiting.since)
        except Trouble:
            return
        if (fresh.due, fresh.follow_up) != (waiting.offer.due, waiting.offer.follow_up):
            waiting.offer = replace(waiting.offer, due=fresh.due, follow_up=fresh.follow_up)
            times = {"due": fresh.due and fresh.due.isoformat(), "follow_up": fresh.follow_up and fresh.follow_up.isoformat()}
            self.step("wait:moved", run.element(waiting), waiting, **times)

    # --- for the game ---------------------------------------------------------------------------------------------------

    def new_id(self) -> int:
        """A number no token or timer of this case has had."""
        self.next_id += 1
        return self.next_id - 1

    def step(self, kind: str, element: Element | None, token: Token, **parts) -> None:
        """Take down a step; a part whose name begins with `_` is data to be sealed, the others are facts."""
        facts = {name: value for name, value in parts.items() if name[0] != "_" and value is not None}
        data = {name[1:]: value for name, value in parts.items() if name[0] == "_" and value not in ({}, [])}
        self._steps.append(Step(kind, element.id if element else None, token.id, facts, data))

    def ask(self, wish: Outgoing) -> None:
        """Something of the world outside."""
        self._outgoing.append(wish)

    def fail(self, run: Run, code: str, variables: Mapping[str, Any]) -> None:
        """End a called case by an error that nothing in it catches; its caller gets it."""
        root = self.tokens[ROOT]
        run.clear(root)
        run.stop_waiting(root)
        self.ended, self.failure = "cancelled", code
        self.step("case:failed", None, root, code=code)
        self.ask(Outgoing("error", ROOT, code, variables=variables))

    def finish(self) -> None:
        """Nothing is left to do."""
        self.ended = "completed"
        self.step("case:completed", None, self.tokens[ROOT])

    def _token(self, token: int) -> Token:
        if token not in self.tokens:
            raise NoSuchToken(token=token)
        return self.tokens[token]

    def _job(self, token: int) -> Token:
        found = self._token(token)
        if found.job is None:
            raise NoSuchToken(token=token)
        return found

    def _working(self, token: int) -> Token:
        found = self._token(token)
        if found.job is None and found.call is None:
            raise NoSuchToken(token=token)
        return found

    def _alarm(self, timer: int) -> TimerState:
        if timer not in self.alarms:
            raise NoSuchTimer(timer=timer)
        return self.alarms[timer]
