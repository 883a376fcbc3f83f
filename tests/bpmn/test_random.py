"""Random diagrams, run with random interleavings, stored and restored between all steps: the trace must be possible for the oracle,
the variables equal, the rests the same; and where SpiffWorkflow is right it must do the same."""

import os
from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings, strategies as st

from engine.workflow import compile_process, examine
from tests.bpmn.builder import Diagram
from tests.bpmn.generate import VARIABLES, Blocks
from tests.bpmn.happenings import Impossible, Unclear
from tests.bpmn.harness import Driver, plain
from tests.bpmn.oracle import Oracle
from tests.bpmn.play import Play
from tests.bpmn.spiff import Spiff
from tests.bpmn.tangle import tangle

EXAMPLES = int(os.environ.get("SHUIBO_TEST_DIAGRAMS") or (10_000 if settings.get_current_profile_name() == "soak" else 100))
SOME = settings(max_examples=EXAMPLES)
SEEDS = st.integers(0, 2**32)


@pytest.mark.soak
@SOME
@given(seed=SEEDS, size=st.integers(1, 12))
def test_block_structured_diagrams(seed, size):
    random = Random(seed)
    played(Blocks(random, size).make().xml(), random, 600, ends=True)


@pytest.mark.soak
@SOME
@given(seed=SEEDS, size=st.integers(2, 12))
def test_unstructured_diagrams(seed, size):
    random = Random(seed)
    played(tangle(random, size).xml(), random, 25)


def played(xml: bytes, random: Random, most: int, ends: bool = False) -> str:
    """How a case of the diagram ends; after `most` moves it may be open still, unless it `ends` for certain."""
    if any(finding.severity == "error" for finding in examine(xml)):
        assert not ends
        return "refused"  # unreachable parts and the like: rightly not run
    moves = 0
    try:
        play = Play(xml, random)
        while moves < most and play.move():
            moves += 1
    except Unclear:
        return "unclear"
    assert play.case.case.status == "completed" or not ends, "blocks cannot deadlock"
    return play.case.case.status


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


def test_enough_of_the_diagrams_are_run():
    """Else the tests above would prove nothing."""
    tangled, blocks = Counter(), Counter()
    for seed in range(60):
        random = Random(seed)
        tangled[played(tangle(random, 8).xml(), random, 25)] += 1
        blocks[played(Blocks(random, 6).make().xml(), random, 600, ends=True)] += 1
    assert tangled["refused"] < 30
    assert tangled["completed"] > 15
    assert tangled["unclear"] + blocks["unclear"] < 5


def test_the_diagrams_have_everything_in_them():
    kinds = Counter()
    for seed in range(100):
        random = Random(seed)
        for made in (Blocks(random, 8).make(), tangle(random, 8)):
            elements = compiled.elements.values() if (compiled := _compiled(made.xml())) else ()
            kinds += Counter((element.kind.value, element.trigger and element.trigger.value) for element in elements)
            kinds += Counter("rounds" for element in elements if element.has_body)
            kinds += Counter("beside" for element in elements if element.kind == "boundary" and not element.interrupting)
    for trigger in ("timer", "message", "signal", "condition"):
        assert all(kinds[kind, trigger] > 10 for kind in ("catch", "boundary", "start")), trigger
    for kind in [
        ("boundary", "error"),
        ("start", "error"),
        ("end", "error"),
        ("boundary", "escalation"),
        ("throw", "link"),
        ("end", "terminate"),
    ]:
        assert kinds[kind] > 5, kind
    for kind in ("event_based", "event_subprocess", "service_task", "receive_task", "subprocess"):
        assert sum(count for name, count in kinds.items() if name[0] == kind) > 10, kind
    assert kinds["rounds"] > 30 and kinds["beside"] > 30


def _compiled(xml: bytes):
    return None if any(finding.severity == "error" for finding in examine(xml)) else compile_process(xml)


# --- an oracle that allows everything would be worthless ------------------------------------------------------------------------


@pytest.mark.parametrize("lie", ["early", "skip", "wrong way"])
def test_the_oracle_notices(lie):
    diagram = Diagram("random")
    diagram.add("startEvent", "start")
    for name in ("split", "join"):
        diagram.add("parallelGateway", name)
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
    oracle.enter("start", 2)
    oracle.leave("start", 2, ["start_to_split"])
    oracle.enter("split", 3)
    oracle.leave("split", 3, ["split_to_a", "split_to_b"])
    if lie == "skip":
        with pytest.raises(Impossible):
            oracle.rest(False, set())
        return
    oracle.enter("a", 4)
    oracle.leave("a", 4, ["a_to_join"])
    oracle.enter("b", 5)
    if lie == "early":
        with pytest.raises(Impossible):
            oracle.enter("join", 6)
        return
    oracle.leave("b", 5, ["b_to_join"])
    oracle.enter("join", 6)
    oracle.leave("join", 6, ["join_to_which"])
    oracle.enter("which", 7)
    with pytest.raises(Impossible):
        oracle.leave("which", 7, ["which_to_other"])


LIES = {
    "the wait was never opened": lambda oracle: oracle.happen("came", 3),
    "it rests without waiting": lambda oracle: oracle.rest(False, set()),
    "it goes on without the event": lambda oracle: (
        oracle.wait("came", 3),
        oracle.wait("again", 1),
        oracle.leave("task", 3, ["task_to_end"]),
    ),
    "the host goes on though interrupted": lambda oracle: (oracle.wait("came", 3), oracle.happen("came", 3), oracle.leave("task", 3, [])),
    "the boundary event begins by itself": lambda oracle: oracle.enter("came", 4),
    "half of a signal is heard": lambda oracle: (
        oracle.wait("came", 3),
        oracle.wait("again", 1),
        oracle.broadcast("S"),
        oracle.happen("came", 3),
        oracle.rest(False, set()),
    ),
    "a receiver goes on without its message": lambda oracle: oracle.leave("task", 3, ["task_to_end"]),
    "an error goes to who does not catch it": lambda oracle: oracle.throw("task", 3, "E", "came"),
}


@pytest.mark.parametrize("lie", LIES)
def test_the_oracle_notices_what_cannot_have_happened(lie):
    diagram = Diagram("random")
    diagram.add("startEvent", "start")
    diagram.receive("task", "letter", '"key"')
    diagram.boundary("came", "task", "signal", "S")
    diagram.add("endEvent", "end")
    diagram.path("start", "task", "end")
    diagram.flow("came", "end")
    with diagram.watcher("beside"):
        diagram.event("startEvent", "again", "signal", "S", isInterrupting="false")
        diagram.add("endEvent", "done")
        diagram.path("again", "done")
    oracle = Oracle(diagram.xml(), {"n1": 1})
    oracle.enter("start", 2)
    oracle.leave("start", 2, ["start_to_task"])
    oracle.enter("task", 3)
    with pytest.raises(Impossible):
        LIES[lie](oracle)


@pytest.mark.parametrize("lie", ["too early", "too late", "too many", "wrong results"])
def test_the_oracle_counts_rounds(lie):
    diagram = Diagram("random")
    diagram.add("startEvent", "start")
    diagram.user("task")
    diagram.many("task", "[7, n1]", "item", ("results", "[item]"), "numberOfCompletedInstances > 0")
    diagram.add("endEvent", "end")
    diagram.path("start", "task", "end")
    oracle = Oracle(diagram.xml(), {"n1": 1})
    oracle.enter("start", 2)
    oracle.leave("start", 2, ["start_to_task"])
    oracle.begin("task", 3)
    oracle.enter("task", 4, 1)
    oracle.enter("task", 5, 2)
    if lie == "wrong results":
        oracle.leave("task", 5, [])
        oracle.decide("task", 3, 1, True)
        oracle.finish("task", 3, ["task_to_end"])
        assert oracle.variables == [{"n1": 1, "results": (None, (1,))}]
        return
    with pytest.raises(Impossible):
        match lie:
            case "too early":
                oracle.finish("task", 3, ["task_to_end"])
            case "too many":
                oracle.enter("task", 6, 3)
            case "too late":
                oracle.leave("task", 4, [])
                oracle.leave("task", 5, [])
