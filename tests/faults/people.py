"""What the tests of this folder share: procedures small enough to repeat a thousand times, and what must hold of every case afterwards."""

import json
from datetime import datetime

from sqlalchemy import func, select

from engine.audit import Event
from engine.calls import CalledCase
from engine.commands.definitions import deploy, publish
from engine.commands.deliveries import carry_out
from engine.commands.handing import carry_on, hand_over, step, take_back
from engine.commands.instances import cancel, start
from engine.commands.jobs import activate
from engine.commands.messages import publish_message
from engine.commands.tasks import claim, complete, delegate, dispatch, release
from engine.commands.timers import fire_due
from engine.exceptions import EngineError
from engine.instances import Instance, Task, Timer
from engine.jobs import Job
from engine.messages import Subscription
from engine.organisation import Actor
from tests.bpmn.builder import Diagram
from tests.support.counties import County, prepare

STAFF = '<zeebe:assignmentDefinition candidateGroups="full_time,part_time"/>'
_ALL = (start, cancel, claim, release, delegate, dispatch, complete, deploy, publish, activate, publish_message, hand_over, take_back)
COMMANDS = {each.__name__: each for each in _ALL}


def procedures() -> list[dict[str, bytes]]:
    """`steps`: ask → (a timer of an hour) → check. `deadline`: ask, ended by a timer after a day. `quick`: as steps, with half a second."""
    return [steps("steps"), steps("quick", "PT0.5S"), _deadline()]


def steps(name: str, wait: str = "PT1H") -> dict[str, bytes]:
    """ask (a number) → a timer → check."""
    diagram = Diagram(name)
    diagram.add("startEvent", "start")
    diagram.user("ask", STAFF)
    diagram.timer("intermediateCatchEvent", "pause", "Duration", wait)
    diagram.user("check", STAFF)
    diagram.add("endEvent", "end")
    diagram.path("start", "ask", "pause", "check", "end")
    return {f"{name}.bpmn": diagram.xml(), "ask.form": _form("ask", "amount"), "check.form": _form("check")}


def _deadline() -> dict[str, bytes]:
    diagram = Diagram("deadline")
    diagram.add("startEvent", "start")
    diagram.user("ask", STAFF)
    diagram.timer("boundaryEvent", "late", "Duration", "P1D", attachedToRef="ask")
    diagram.add("endEvent", "end")
    diagram.add("endEvent", "expired")
    diagram.path("start", "ask", "end")
    diagram.path("late", "expired")
    return {"deadline.bpmn": diagram.xml(), "ask.form": _form("ask", "amount")}


def _form(name: str, *numbers: str) -> bytes:
    fields = [
        {"type": "number", "id": f"field_{key}", "key": key, "label": key, "validate": {"required": True}} for key in numbers
    ]
    return json.dumps({"id": name, "type": "default", "schemaVersion": 19, "components": fields}).encode()


def prepare_cases(url: str) -> None:
    """A small county with the procedures of this folder published."""
    prepare(url)
    county = County(url)
    for bundle in procedures():
        county.deploy(**bundle)
    county.system.database.dispose()


def attempt(county: County, who: str, what: str, *arguments, now: datetime, **options) -> dict:
    """Carry out a command and tell what came of it: {"answer": …} or {"error": code, "message": …}."""
    try:
        if what == "fire":
            return {"answer": fire_due(county.system, now)}
        if what == "step":  # of a handover, as the worker does it
            return {"answer": step(county.system, Actor.system(county.system.county_id), *arguments, now=now)}
        if what == "carry_on":
            return {"answer": carry_on(county.system, *arguments, now)}
        if what == "carry":
            return {"answer": carry_out(county.system, now)}
        return {"answer": COMMANDS[what](county.system, county.act(who), *arguments, now=now, **options)}
    except EngineError as error:
        return {"error": error.code, "message": error.message}


def events(county: County, instance_id: str) -> list[Event]:
    """A case's history."""
    with county.system.database.read() as session:
        return list(session.scalars(select(Event).where(Event.stream == f"instance/{instance_id}").order_by(Event.seq)))


def kinds(county: County, instance_id: str) -> list[str]:
    """The kinds of a case's events."""
    return [event.kind for event in events(county, instance_id)]


def stuck(county: County) -> list[str]:
    """Running cases that nothing can ever move: no open task, timer, wait, job or called case, no incident. There must be none."""
    others = (Timer.instance_id, Subscription.instance_id, Job.instance_id, CalledCase.parent_id)
    waits = select(Task.instance_id).where(Task.status.in_(("offered", "claimed"))).union(*map(select, others))
    with county.system.database.read() as session:
        return list(session.scalars(select(Instance.id).where(Instance.status == "active", Instance.id.not_in(waits))))


def completed_more_than_once(county: County) -> list[str]:
    """Tasks with two completions in the history. There must be none."""
    twice = (
        select(Event.facts)
        .where(Event.kind == "task:completed")
        .group_by(Event.facts)
        .having(func.count() > 1)
    )
    with county.system.database.read() as session:
        return [facts["task"] for facts in session.scalars(twice)]


def completed_without_a_trace(county: County) -> list[str]:
    """Tasks whose row and history disagree on whether they are completed. There must be none."""
    with county.system.database.read() as session:
        rows = set(session.scalars(select(Task.id).where(Task.status == "completed")))
        told = {facts["task"] for facts in session.scalars(select(Event.facts).where(Event.kind == "task:completed"))}
    return sorted(rows ^ told)


def assert_sound(county: County) -> None:
    """What must hold whatever happened."""
    assert county.faults() == []
    assert stuck(county) == []
    assert completed_more_than_once(county) == []
    assert completed_without_a_trace(county) == []
