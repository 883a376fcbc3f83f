"""Random diagrams, run with random interleavings, stored and restored between all steps: the trace must be possible for the oracle,
the variables equal, the rests the same; and where SpiffWorkflow is right it must do the same."""

import os
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings, strategies as st

from engine.workflow import compile_process, examine
from tests.bpmn.generate import VARIABLES, Blocks, tangle
from tests.bpmn.harness import Driver, plain, values
from tests.bpmn.oracle import Impossible, Oracle
from tests.bpmn.spiff import Spiff

EXAMPLES = int(os.environ.get("SHUIBO_TEST_DIAGRAMS") or (10_000 if settings.get_current_profile_name() == "soak" else 200))
SOME = settings(max_examples=EXAMPLES)
SEEDS = st.integers(0, 2**32)


class Play:
    """A case and the oracle side by side."""

    def __init__(self, xml: bytes, random: Random):
        self.random = random
        counters = {node: random.randint(1, 2) for node in (f"k{n}" for n in range(1, 200)) if f'"{node}"'.encode() in xml}
        start = {name: random.randint(0, 5) for name in VARIABLES} | counters
        self.oracle = Oracle(xml, start)
        self.case = Driver(compile_process(xml), start, visits=250)
        self.checked = 0
        self.check()

    def check(self) -> None:
        """Hand the new steps to the oracle."""
        steps, self.checked = self.case.steps[self.checked :], len(self.case.steps)
        for index, step in enumerate(steps):
            match step.kind:
                case "element:entered":
                    self.oracle.enter(step.element)
                case "element:completed":
                    flows = [later.facts["flow"] for later in steps[index + 1 :] if later.kind == "flow:taken" and later.token == step.token]
                    self.oracle.leave(step.element, flows)
                case "script:evaluated":
                    self.oracle.script(step.element)
                case "timer:fired":
                    self.oracle.timeout(step.element)
        stuck = {incident.element.id for incident in self.case.case.incidents()}
        self.oracle.rest(self.case.case.status == "completed", stuck)
        assert self.case.variables == self.oracle.variables

    def move(self) -> bool:
        """Do one of the things that can be done; False if there is none."""
        case = self.case.case
        moves = [(self._complete, wait) for wait in case.waits()] + [(self._fire, timer) for timer in case.timers()]
        if not moves or any(incident.code == "runs_in_circle" for incident in case.incidents()):
            return False
        act, what = self.random.choice(moves)
        act(what)
        self.check()
        return True

    def _complete(self, wait) -> None:
        data = {self.random.choice(VARIABLES): self.random.randint(0, 5)} if self.random.random() < 0.4 else {}
        self.oracle.variables.update(data)
        self.case.case.complete(wait.token, values(data), self.case.env)
        self.case._store()

    def _fire(self, timer) -> None:
        self.case.case.fire(timer.id, self.case.env)
        self.case._store()


@pytest.mark.soak
@SOME
@given(seed=SEEDS, size=st.integers(1, 12))
def test_block_structured_diagrams(seed, size):
    random = Random(seed)
    play = Play(Blocks(random, size).make().xml(), random)
    moves = 0
    while play.move():
        moves += 1
        assert moves < 500
    assert play.case.case.status == "completed"  # blocks cannot deadlock


@pytest.mark.soak
@SOME
@given(seed=SEEDS, size=st.integers(2, 12))
def test_unstructured_diagrams(seed, size):
    random = Random(seed)
    xml = tangle(random, size).xml()
    if any(finding.severity == "error" for finding in examine(xml)):
        return  # unreachable parts and the like: refused, and rightly not run
    play = Play(xml, random)
    moves = 0
    while moves < 25 and play.move():
        moves += 1


@pytest.mark.soak
@SOME
@given(seed=SEEDS, size=st.integers(1, 12))
def test_as_spiffworkflow_does(seed, size):
    random = Random(seed)
    xml = Blocks(random, size, plain=True).make().xml()
    start = {name: random.randint(0, 5) for name in VARIABLES}
    ours, theirs = Driver(compile_process(xml), start), Spiff(xml, start)
    while ours.case.status == "active":
        assert Counter(ours.waiting) == Counter(theirs.waiting)
        task = random.choice(ours.waiting)
        ours.complete(task)
        theirs.complete(task)
    assert theirs.completed
    assert plain(ours.variables) == start


def test_enough_of_the_unstructured_diagrams_are_run():
    """Else the test above would prove nothing."""
    kinds = Counter()
    for seed in range(150):
        random = Random(seed)
        xml = tangle(random, 8).xml()
        if any(finding.severity == "error" for finding in examine(xml)):
            kinds["refused"] += 1
            continue
        play = Play(xml, random)
        for _ in range(25):
            if not play.move():
                break
        kinds[play.case.case.status] += 1
    assert kinds["refused"] < 75
    assert kinds["completed"] > 20


@pytest.mark.parametrize("lie", ["early", "skip", "wrong way"])
def test_the_oracle_notices(lie):
    """An oracle that allows everything would be worthless."""
    random = Random(5)
    diagram = Blocks(random, 0).diagram
    diagram.add("startEvent", "start")
    diagram.add("parallelGateway", "split")
    diagram.add("parallelGateway", "join")
    diagram.add("exclusiveGateway", "which")
    for name in "ab":
        diagram.user(name)
    diagram.add("endEvent", "end")
    diagram.add("endEvent", "other")
    diagram.path("start", "split", "a", "join", "which")
    diagram.path("split", "b", "join")
    diagram.flow("which", "end", "n1 > 3")
    diagram.flow("which", "other", default=True)
    oracle = Oracle(diagram.xml(), {"n1": 5})
    with pytest.raises(Impossible):
        oracle.enter("start")
        oracle.leave("start", ["start_to_split"])
        oracle.enter("split")
        oracle.leave("split", ["split_to_a", "split_to_b"])
        if lie == "skip":
            oracle.rest(False, set())
        oracle.enter("a")
        oracle.leave("a", ["a_to_join"])
        oracle.enter("b")
        if lie == "early":
            oracle.enter("join")
        oracle.leave("b", ["b_to_join"])
        oracle.enter("join")
        oracle.leave("join", ["join_to_which"])
        oracle.enter("which")
        oracle.leave("which", ["which_to_other"])


