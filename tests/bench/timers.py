"""Cases whose timers all fall due at the same moment."""

import threading
from datetime import timedelta

from sqlalchemy import select

from engine.commands.timers import fire_due
from engine.definitions import Definition
from tests.bpmn.builder import Diagram
from tests.support.counties import County

HOLDERS = 100  # cases
TIMERS_EACH = 10


def prepare_timers(county: County, cases: int = HOLDERS) -> list[str]:
    """Start cases of ten branches that each wait for an hour, and let the hour pass; answers their ids."""
    with county.system.database.read() as session:
        known = session.scalar(select(Definition.id).where(Definition.key == "ten_waits"))
    if known is None:
        county.deploy(**{"ten_waits.bpmn": _diagram()})
    found = [county.start("ten_waits")["id"] for _ in range(cases)]
    county.now += timedelta(hours=1, seconds=1)
    return found


def fire_together(county: County, workers: int) -> list[int]:
    """How many timers each of several workers fired, which begin together and go on until nothing is due."""
    fired, barrier = [0] * workers, threading.Barrier(workers)

    def work(number: int) -> None:
        own = County(county.url)
        barrier.wait()
        while done := fire_due(own.system, county.now):
            fired[number] += done
        own.system.database.dispose()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return fired


def _diagram() -> bytes:
    diagram = Diagram("ten_waits", "十处等待")
    diagram.add("startEvent", "start")
    diagram.add("parallelGateway", "split")
    diagram.add("parallelGateway", "join")
    diagram.add("endEvent", "end")
    diagram.path("start", "split")
    for number in range(TIMERS_EACH):
        diagram.timer("intermediateCatchEvent", f"wait_{number}", "Duration", "PT1H")
        diagram.path("split", f"wait_{number}", "join")
    diagram.path("join", "end")
    return diagram.xml()
