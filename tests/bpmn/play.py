"""A case and the oracle side by side: every step of the one must be possible for the other, and at each rest they must agree."""

from collections import Counter
from random import Random

from engine.workflow import Step, compile_process
from tests.bpmn.generate import CODES, VARIABLES
from tests.bpmn.harness import Driver, plain, values
from tests.bpmn.oracle import Oracle

EVENTS = {"start", "catch", "boundary", "receive_task"}
HAPPENINGS = {"timer:fired", "message:caught", "signal:caught", "condition:met"}
WAITS = {"timer:set", "message:awaited", "signal:awaited", "condition:awaited"}


class Play:
    """Random commands to one case. After `patience` moves nothing is done any more that could be done for ever."""

    def __init__(self, xml: bytes, random: Random, patience: int = 40):
        self.random, self.patience = random, patience
        counters = {node: random.randint(1, 2) for node in (f"k{n}" for n in range(1, 300)) if f'"{node}"'.encode() in xml}
        start = {name: random.randint(0, 5) for name in VARIABLES} | counters
        self.oracle = Oracle(xml, start)
        self.code: str | None = None  # of the error a job ends in
        self.data: dict = {}  # what a message, signal or error brings
        self.case = Driver(compile_process(xml), start, visits=250)
        self.checked = 0
        self.check()

    # --- checking -------------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Hand the new steps to the oracle."""
        steps, self.checked = self.case.steps[self.checked :], len(self.case.steps)
        skip: set[int] = set()
        for index, step in enumerate(steps):
            self._hand(step, steps[index + 1 :], skip)
        case = self.case.case
        if self.runs_in_circle:
            return  # stopped in the middle
        stuck = {incident.element.id for incident in case.incidents()}
        open_ = [wait.element.id for wait in case.waits()] + [token.element for token in case.tokens.values() if token.job]
        open_ += [wait.element for wait in (*case.alarms.values(), *case.awaited.values())]
        self.oracle.rest(case.status == "completed", stuck, Counter(open_))
        found = {name: _frozen(value) for name, value in self.case.variables.items()}
        assert found in self.oracle.variables, (found, self.oracle.variables)

    @property
    def runs_in_circle(self) -> bool:
        """Whether the engine stopped a case that never waits."""
        return any(incident.code == "runs_in_circle" for incident in self.case.case.incidents())

    def _hand(self, step: Step, later: list[Step], skip: set[int]) -> None:
        flows = [after.facts["flow"] for after in later if after.kind == "flow:taken" and after.token == step.token]
        oracle, at = self.oracle, (step.element, step.token)
        match step.kind:
            case "element:entered":
                oracle.enter(*at, step.facts.get("round", 0))
            case "element:completed" if step.token not in skip:
                oracle.leave(*at, flows)
            case "loop:started" | "instances:started":
                oracle.begin(*at)
            case "loop:decided":
                oracle.decide(*at, step.facts["round"], not step.facts["again"])
            case "instances:decided":
                oracle.decide(*at, step.facts["done"], step.facts["over"])
            case "loop:completed" | "instances:completed":
                oracle.finish(*at, flows)
            case "script:evaluated":
                oracle.script(step.element)
            case kind if kind in WAITS:
                oracle.wait(*at)
            case kind if kind in HAPPENINGS:
                oracle.happen(*at, self.data if kind in ("message:caught", "signal:caught") else None)
            case "variable:set" if self._is_of_an_event(step):
                oracle.wrote(*at, {name: int(value) for name, value in step.data["values"].items()})
            case "message:sent" | "signal:sent":
                self.data = {}  # what is thrown inside brings nothing
                oracle.send(*at)
            case "error:thrown" | "escalation:thrown":
                self._throw(step, later, skip)
            case "incident:raised" if step.facts["code"] == "error_uncaught":
                oracle.throw(*at, self.code or oracle.net.nodes[step.element].name, None)

    def _throw(self, step: Step, later: list[Step], skip: set[int]) -> None:
        caught = next((after for after in later if after.kind == step.kind.replace("thrown", "caught")), None)
        if step.kind == "escalation:thrown" and not step.facts["caught"]:
            caught = None
        between = later[: later.index(caught)] if caught else []
        skip.update(after.token for after in between if after.kind == "element:completed")
        brought = self.data if self.code else None
        self.oracle.throw(step.element, step.token, step.facts["code"], caught and caught.element, brought)

    def _is_of_an_event(self, step: Step) -> bool:
        return self.case.process.elements[step.element].kind in EVENTS

    # --- moving ---------------------------------------------------------------------------------------------------------

    def move(self) -> bool:
        """Do one of the things that can be done; False if there is none."""
        case = self.case.case
        self.patience -= 1
        moves = [(self._complete, wait) for wait in case.waits()]
        moves += [(self._fire, timer) for timer in case.timers()]
        moves += [(self._work, job) for job in case.jobs()] * 2
        moves += [(self._bring, wait) for wait in case.subscriptions() if self.patience > 0 or not wait.element.repeats]
        if any(wait.trigger == "condition" for wait in case.awaited.values()) and (self.patience > 0 or not moves):
            moves.append((self._correct, None))
        if case.ended or not moves or self.runs_in_circle:
            return False
        act, what = self.random.choice(moves)
        self.code, self.data = None, {}
        act(what)
        self.case._store()
        self.check()
        return True

    def _some(self, chance: float) -> dict:
        return {self.random.choice(VARIABLES): self.random.randint(0, 6)} if self.random.random() < chance else {}

    def _complete(self, wait) -> None:
        data = self._some(0.4)
        self.oracle.write(data)
        self.case.case.complete(wait.token, values(data), self.case.env)

    def _fire(self, timer) -> None:
        self.case.case.fire(timer.id, self.case.env)

    def _work(self, job) -> None:
        if self.random.random() < 0.4:
            self.code, self.data = self.random.choice(CODES), self._some(0.5)
            self.case.case.throw_error(job.token, self.code, values(self.data), self.case.env)
            return
        data = self._some(0.4)
        self.oracle.write(data)
        self.case.case.complete_job(job.token, values(data), self.case.env)

    def _bring(self, wait) -> None:
        self.data = self._some(0.5)
        if wait.trigger == "message":
            self.case.case.correlate(wait.id, values(self.data), self.case.env)
        else:
            self.oracle.broadcast(wait.name)
            self.case.case.signal(wait.name, values(self.data), self.case.env)

    def _correct(self, _) -> None:
        data = self._some(1.0)
        self.oracle.write(data)
        self.case.case.correct(values(data), self.case.env)


def _frozen(value):
    value = plain(value)
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
