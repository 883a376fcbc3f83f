"""The stored form: past formats load and finish, wrong ones are told plainly, processes are shared by threads."""

import json
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path

import pytest

from engine.exceptions import StateUnreadable
from engine.workflow import Case, compile_process
from tests.bpmn.harness import NOW, Driver, Environment, Outcome, diagram, plain, values

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture
def sample():
    """A case stored in format 1, in the middle of everything: loop, subprocess, joins, timers, incident, every kind of value."""
    process = compile_process((SAMPLES / "format_1.bpmn").read_bytes())
    return process, json.loads((SAMPLES / "format_1.json").read_text())


def test_a_stored_case_of_format_1_finishes(sample):
    process, state = sample
    env = Environment(now=NOW, decide=lambda decision, context: Outcome("low"))
    case = Case.restore(process, state)
    assert case.state() == state | {"format": 2}
    assert case.status == "incident"
    assert str(case.variables()["n"]) == "0.3"
    case.retry(case.incidents()[0].token, env)
    while case.waits():
        case.complete(case.waits()[0].token, values({"more": False}), env)
    [timer] = case.timers()
    case.fire(timer.id, env)
    assert case.status == "completed"
    assert case.variables()["risk"] == "low"


def test_a_stored_case_of_format_2_finishes():
    """Messages, signals, conditions, jobs, calls, instances and what watches the case, all under way."""
    process = compile_process((SAMPLES / "format_2.bpmn").read_bytes())
    state = json.loads((SAMPLES / "format_2.json").read_text())
    env = Environment(now=NOW)
    case = Case.restore(process, state)
    assert case.state() == state
    assert sorted(incident.element.id for incident in case.incidents()) == ["fax", "look"]
    case.correct(values({"who": "ft-01-1", "calm": True}), env)
    for incident in case.incidents():
        case.retry(incident.token, env)
    case.signal("警报", {}, env)
    case.finish_call(case.calls()[0].token, {}, env)
    for job in case.jobs():
        case.complete_job(job.token, {}, env)
    while case.waits():
        case.complete(case.waits()[0].token, {}, env)
    assert case.status == "completed" and case.called
    assert case.variables()["found"] == ["张三", None, "李四"]


def test_the_sample_holds_every_key_of_the_format(sample):
    _, state = sample
    tokens = {key for token in state["tokens"] for key in token}
    assert tokens >= {"id", "element", "parent", "stage", "since", "visit", "is_loop", "rounds", "variables", "arrived", "offer", "fault"}
    assert {key for timer in state["timers"] for key in timer} >= {"anchor", "interval", "repeats", "fired", "due", "since"}


@pytest.mark.parametrize("change", ["format", "future", "token", "timers", "stage", "element", "flow", "time", "list"])
def test_a_state_that_does_not_fit(sample, change):
    process, state = sample
    broken = deepcopy(state)
    match change:
        case "format":
            del broken["format"]
        case "future":
            broken["format"] = 3
        case "token":
            del broken["tokens"][0]["stage"]
        case "timers":
            broken["timers"] = None
        case "stage":
            broken["tokens"][0]["stage"] = "dreaming"
        case "element":
            broken["tokens"][1]["element"] = "gone"
        case "flow":
            broken["tokens"][0]["arrived"] = {"gone": 1}
        case "time":
            broken["timers"][0]["due"] = "soon"
        case "list":
            broken = [broken]
    with pytest.raises(StateUnreadable):
        Case.restore(process, broken)


def test_a_state_is_a_copy(sample):
    process, state = sample
    case = Case.restore(process, deepcopy(state))
    kept = case.state()
    wait = case.waits()[0]
    case.complete(wait.token, values({"name": "李四"}), Environment(now=NOW))
    assert kept == state | {"format": 2}


def test_an_ended_case_keeps_only_its_variables():
    case = Driver(diagram("exclusive_gateway"), {"risk": "high"}).complete(done=True)
    state = case.case.state()
    assert [token["element"] for token in state["tokens"]] == [None]
    assert state["status"] == "completed"
    assert case.variables == {"risk": "high", "done": True}


def test_a_process_is_shared_by_threads():
    """SpiffWorkflow changes its specification while running."""
    process = diagram("inclusive_join_in_loop")

    def run(number: int):
        case = Driver(process, {"x": number % 2 == 0, "y": number % 3 == 0})
        for turn in range(20):
            if case.waiting:
                case.complete(again=turn < 10)
        return case.case.status, case.variables["x"]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(run, range(64)))
    assert results == [("completed", number % 2 == 0) for number in range(64)]


def test_what_a_process_knows_of_itself():
    process = diagram("io_mapping")
    assert (process.id, process.name, process.form_ids) == ("io_mapping", "输入输出映射", {"ask"})
    with pytest.raises(TypeError):
        process.elements["new"] = None
    assert plain(process.properties) == {}
