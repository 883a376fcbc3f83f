"""A running case: what commands call. It never reads a clock and never fires by itself; every command runs it to its next rest."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.exceptions import NoSuchTimer, NoSuchToken
from engine.workflow import state as stored
from engine.workflow.activities import offer_of, schedule_of
from engine.workflow.formula import Environment
from engine.workflow.game import Run
from engine.workflow.model import Element, Process
from engine.workflow.state import ROOT, Stage, TimerState, Token
from engine.workflow.steps import Incident, Step, Timer, Wait
from engine.workflow.trouble import Trouble
from engine.workflow.variables import visible


class Case:
    """Tokens of one process. Not shared between threads; the process is."""

    def __init__(self, process: Process):
        """Empty: use `start` or `restore`."""
        self.process = process
        self.tokens: dict[int, Token] = {}
        self.alarms: dict[int, TimerState] = {}
        self.visits: dict[str, int] = {}
        self.next_id = ROOT
        self.ended: str | None = None
        self._steps: list[Step] = []

    @classmethod
    def start(cls, process: Process, variables: Mapping[str, Any], env: Environment, start_event: str | None = None) -> "Case":
        """A new case, run to its first waits. `start_event`: if not given, the one without a trigger.

        Raises NoSuchToken for an unknown one.
        """
        event = process.elements.get(start_event or process.start_events[0])
        if event is None or event.id not in process.start_events:
            raise NoSuchToken(token=start_event)
        case = cls(process)
        root = Token(case.new_id(), None, None, Stage.INSIDE, env.now)
        for name, value in variables.items():
            root.variables[name] = value
        case.tokens[root.id] = root
        case.step("case:started", None, root, start=event.id, _values=root.variables.stored())
        run = Run(case, env)
        run.enter(root, event)
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
        return [self._wait(token) for token in sorted(open_tasks, key=lambda token: token.id)]

    def timers(self) -> list[Timer]:
        """Due times the host must watch, the next one first."""
        return [self._timer(alarm) for alarm in sorted(self.alarms.values(), key=lambda alarm: (alarm.due, alarm.id))]

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

    def retry(self, token: int, env: Environment) -> None:
        """Try again what failed at a token. Raises NoSuchToken if it has no incident."""
        failed = self._token(token)
        if failed.fault is None:
            raise NoSuchToken(token=token)
        fault, failed.fault = failed.fault, None
        self.step("incident:resolved", self.process.elements.get(fault.element), failed, code=fault.code)
        run = Run(self, env)
        run.advance_later(failed)
        run.go()

    def cancel(self, env: Environment, reason: str) -> None:
        """End the case at once. Nothing happens to one that has ended."""
        if self.ended:
            return
        root = self.tokens[ROOT]
        Run(self, env).cancel([token for token in self.tokens.values() if token.parent == ROOT])
        root.arrived.clear()
        root.fault = None
        self.ended = "cancelled"
        self.step("case:cancelled", None, root, _reason=reason)

    def reschedule(self, timer: int, env: Environment) -> None:
        """Work out a due time anew, counted from when the timer was set: after a change of the calendar.

        One whose expression fails now keeps its old time. Raises NoSuchTimer.
        """
        alarm = self._alarm(timer)
        event, token = self.process.elements[alarm.element], self.tokens[alarm.token]
        try:
            fresh = schedule_of(Run(self, env), token, event, alarm.since)
        except Trouble:
            return
        if alarm.fired == 0 and fresh.due != alarm.due:
            self.step("timer:moved", event, token, timer=alarm.id, due=fresh.due.isoformat(), was=alarm.due.isoformat())
            alarm.due = fresh.due

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

    def finish(self) -> None:
        """Nothing is left to do."""
        self.ended = "completed"
        self.step("case:completed", None, self.tokens[ROOT])

    def _token(self, token: int) -> Token:
        if token not in self.tokens:
            raise NoSuchToken(token=token)
        return self.tokens[token]

    def _alarm(self, timer: int) -> TimerState:
        if timer not in self.alarms:
            raise NoSuchTimer(timer=timer)
        return self.alarms[timer]

    def _wait(self, token: Token) -> Wait:
        offer = token.offer
        return Wait(
            token=token.id,
            element=self.process.elements[token.element],
            since=token.since,
            assignee=offer.assignee,
            candidate_groups=list(offer.candidate_groups),
            candidate_users=list(offer.candidate_users),
            due=offer.due,
            follow_up=offer.follow_up,
            priority=offer.priority,
            visit=token.visit,
        )

    def _timer(self, alarm: TimerState) -> Timer:
        event = self.process.elements[alarm.element]
        repeating = alarm.interval and event.repeats
        remaining = (None if alarm.repeats is None else alarm.repeats - alarm.fired - 1) if repeating else 0
        formula = event.timer.formula
        return Timer(alarm.id, alarm.token, event, alarm.due, remaining, formula.is_calendar_based, alarm.since)
