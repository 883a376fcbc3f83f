"""Every kind of element this version runs, driven to its end through the commands: on both databases, every step stored and taken up again."""

import pytest

from tests.bpmn.builder import Diagram
from tests.integration.test_cases import ASSIGN, form, number
from tests.support.tables import file, table

GRADE = file(table([("n", "number")], [("grade", "string")], [("> 10", '"high"'), ("<= 10", '"low"')], ident="grade"))


class Built(Diagram):
    """A diagram that begins by asking for `n`; every user task has a form of its own and is for full-time workers."""

    def __init__(self, ident: str):
        super().__init__(ident)
        self.add("startEvent", "start")
        self.task("ask")
        self.path("start", "ask")

    def task(self, ident: str, **parts) -> str:
        return self.user(ident, ASSIGN, **parts)

    def end(self, ident: str = "end", inner: str = "") -> str:
        return self.add("endEvent", ident, inner=inner)

    def files(self, **more) -> dict:
        users = [node.id for node in self.nodes.values() if node.tag == "userTask"]
        forms = {f"{ident}.form": form(ident, *([number("n")] if ident == "ask" else [])) for ident in users}
        return {f"{self.id}.bpmn": self.xml()} | forms | more


def exclusive(d: Built):
    d.add("exclusiveGateway", "large")
    d.task("large_one"), d.task("small_one"), d.end(), d.end("other")
    d.path("ask", "large"), d.flow("large", "large_one", "n > 10"), d.flow("large", "small_one", default=True)
    d.path("large_one", "end"), d.path("small_one", "other")


def parallel(d: Built):
    d.add("parallelGateway", "split"), d.add("parallelGateway", "join")
    d.task("left"), d.task("right"), d.end()
    d.path("ask", "split", "left", "join"), d.path("split", "right", "join", "end")


def inclusive(d: Built):
    d.add("inclusiveGateway", "some"), d.add("inclusiveGateway", "join")
    d.task("over_1"), d.task("over_5"), d.task("over_100"), d.end()
    d.path("ask", "some")
    for name, limit in (("over_1", 1), ("over_5", 5), ("over_100", 100)):
        d.flow("some", name, f"n > {limit}"), d.path(name, "join")
    d.path("join", "end")


def subprocess(d: Built):
    d.add("subProcess", "inside")
    d.path("ask", "inside")
    d.scope = "inside"
    d.add("startEvent", "inner_start"), d.task("work"), d.end("inner_end"), d.path("inner_start", "work", "inner_end")
    d.scope = None
    d.task("after"), d.end(), d.path("inside", "after", "end")


def automatic(d: Built):
    d.script("double", "twice", "n * 2")
    d.add("businessRuleTask", "judge", '<zeebe:calledDecision decisionId="grade" resultVariable="grade"/>')
    d.add("manualTask", "by_hand"), d.add("task", "anything"), d.task("after"), d.end()
    d.path("ask", "double", "judge", "by_hand", "anything", "after", "end")


def terminate(d: Built):
    d.add("parallelGateway", "split"), d.task("never_done"), d.task("stop"), d.end()
    d.end("kill", "<bpmn:terminateEventDefinition/>")
    d.path("ask", "split", "never_done", "end"), d.path("split", "stop", "kill")


def interrupting(d: Built):
    d.task("slow"), d.timer("boundaryEvent", "late", "Duration", "P3D", attachedToRef="slow")
    d.task("escalated"), d.end(), d.end("other")
    d.path("ask", "slow", "end"), d.path("late", "escalated", "other")


def non_interrupting(d: Built):
    d.task("slow"), d.timer("boundaryEvent", "remind", "Cycle", "R2/P1D", attachedToRef="slow", cancelActivity="false")
    d.task("reminder"), d.end(), d.end("other")
    d.path("ask", "slow", "end"), d.path("remind", "reminder", "other")


def catching(d: Built):
    d.timer("intermediateCatchEvent", "for_days", "Duration", '=duration("P" + string(n) + "D")')
    d.timer("intermediateCatchEvent", "until", "Date", "2026-04-01T09:00:00+08:00")
    d.timer("intermediateCatchEvent", "next", "Cycle", "R/P1D")
    d.task("after"), d.end()
    d.path("ask", "for_days", "until", "next", "after", "end")


def looping(d: Built):
    condition = '<bpmn:loopCondition xsi:type="bpmn:tFormalExpression">=n &gt; 10</bpmn:loopCondition>'
    loop = f'<bpmn:standardLoopCharacteristics loopMaximum="3">{condition}</bpmn:standardLoopCharacteristics>'
    d.task("again", inner=loop), d.end()
    d.path("ask", "again", "end")


# (diagram, n, what is done in order: a task's element or days that pass, elements completed besides)
RUNS = [
    (exclusive, 50, ["large_one"], {"end"}),
    (exclusive, 5, ["small_one"], {"other"}),
    (parallel, 1, ["right", "left"], {"split", "join", "end"}),
    (inclusive, 50, ["over_5", "over_1"], {"join", "end"}),
    (inclusive, 3, ["over_1"], {"join", "end"}),
    (subprocess, 1, ["work", "after"], {"inside", "inner_end", "end"}),
    (automatic, 50, ["after"], {"double", "judge", "by_hand", "anything", "end"}),
    (terminate, 1, ["stop"], {"kill"}),
    (interrupting, 1, ["slow"], {"end"}),
    (interrupting, 1, [3, "escalated"], {"late", "other"}),
    (non_interrupting, 1, [1, "reminder", 5, "slow", "reminder"], {"remind", "other", "end"}),
    (catching, 2, [2, 40, 1, "after"], {"for_days", "until", "next", "end"}),
    (looping, 50, ["again", "again", "again"], {"end"}),
    (looping, 1, ["again"], {"end"}),
]


@pytest.mark.parametrize(("draw", "n", "acts", "also"), RUNS, ids=[f"{run[0].__name__}-{run[1]}-{len(run[2])}" for run in RUNS])
def test_runs_to_its_end_on_both_databases(county, draw, n, acts, also):
    diagram = Built(draw.__name__)
    draw(diagram)
    county.deploy(**diagram.files(**({"grade.dmn": GRADE} if draw is automatic else {})))
    case = county.start(diagram.id)["id"]
    county.do("ft-01-1", case, "ask", {"n": n})
    for act in acts:
        if isinstance(act, int):
            assert county.pass_time(days=act) > 0
        else:
            county.do("ft-01-1", case, act)
    assert county.instance(case).status == "completed"
    done = {line["facts"]["element"] for line in county.history(case) if line["kind"] == "element:completed"} - {None}
    assert also | {act for act in acts if isinstance(act, str)} <= done
    assert county.open_tasks(case) == {}
    assert county.faults() == []


def test_automatic_tasks_leave_what_they_found(county):
    diagram = Built("automatic")
    automatic(diagram)
    county.deploy(**diagram.files(**{"grade.dmn": GRADE}))
    case = county.start("automatic")["id"]
    county.do("ft-01-1", case, "ask", {"n": 50})
    assert county.variables(case) == {"placeName": "张庄村", "n": 50, "twice": 100, "grade": "high"}
