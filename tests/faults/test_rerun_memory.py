"""Reruns take no more memory for more decisions: a sample here, a hundred thousand with `make soak`."""

import time
import tracemalloc
from collections.abc import Iterator

import pytest
from sqlalchemy import insert, select

from engine import audit
from engine.audit import Event, Kind
from engine.regulations import compile_regulation
from engine.reruns import CheckRerun, Outcome, outcome as walking
from engine.vault import SubjectKey
from tests.integration.test_reruns import begun, house_rule, in_force

SAMPLE, ALL = 800, 100_000
A_CASE = 5  # decisions that share a key, as those of a case do
WARNS, BLOCKS = (house_rule(['"complete"', f'"{when}"', "-", "-", '"house.soon"', f'"{effect}"']) for when, effect in (("soon", "warn"), ("urgent", "block")))


def multiplied(county, amount: int) -> None:
    """As many kept decisions as that, each like the last completion of a task; every case has a stream and a key of its own."""
    system = county.system
    with system.database.read() as session:
        query = select(Event, SubjectKey).join(SubjectKey, SubjectKey.id == Event.key_id).where(Event.kind == str(Kind.TASK_COMPLETED))
        event, key = next(row for row in session.execute(query.order_by(Event.recorded_at.desc())) if "checked" in row[0].facts)
        told = system.vault.open(key, event.sealed, f"event:{event.stream}:sealed")
    columns = {column.name: getattr(event, column.name) for column in Event.__table__.c}
    for begin in range(0, amount, 5_000):
        with system.database.unit(county.now) as unit:
            rows = list(_copies(system, unit.session, columns, told, begin, min(begin + 5_000, amount), county.now))
            unit.session.flush()
            streams = [{"county_id": system.county_id, "id": name, "seq": 99, "hash": audit.GENESIS} for name in sorted({row["stream"] for row in rows})]
            unit.connection.execute(insert(audit.Stream.__table__), streams)
            unit.connection.execute(insert(Event.__table__), rows)
            unit.commit()


def _copies(system, session, columns: dict, told: dict, begin: int, end: int, now) -> Iterator[dict]:
    for number in range(begin, end):
        stream = f"instance/{number // A_CASE:032x}"
        if number % A_CASE == 0:
            key = system.vault.new_key(session, system.county_id, stream, now)
        sealed = system.vault.seal(key, told, f"event:{stream}:sealed")
        yield columns | {"stream": stream, "seq": number % A_CASE + 1, "sealed": sealed, "key_id": key.id, "rows": {}}


def peak(county, until: int) -> tuple[Outcome, int]:
    """The outcome of deciding again at least `until` events, and the most memory (bytes) that Python held for it."""
    changed, more = compile_regulation(BLOCKS), True
    with county.system.database.read() as session:
        again = CheckRerun(county.system, changed, in_force(county, session, "house"))
        again.step(session)  # what is made once: parameters, tables of then
    tracemalloc.start()
    while more and again.outcome.seen < until:
        with county.system.database.read() as session:
            more = again.step(session)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return again.outcome, most


@pytest.mark.soak
def test_memory_does_not_grow_with_the_decisions(working_county, campaign, monkeypatch):
    county, amount = working_county, campaign(SAMPLE, ALL)
    monkeypatch.setattr(walking, "MOST_CASES", 20)
    monkeypatch.setattr(walking, "MOST_SHOWN", 20)
    if amount == SAMPLE:
        monkeypatch.setattr(walking, "BATCH", 50)
    county.deploy(**{"house.dmn": WARNS})
    begun(county, "soon")
    multiplied(county, amount)
    _some, first = peak(county, amount // 8)
    began = time.perf_counter()
    outcome, most = peak(county, amount * 2)
    seconds = time.perf_counter() - began
    assert outcome.decisions >= amount and outcome.changed >= amount and outcome.failed == outcome.erased == 0
    assert outcome.more_cases and len(outcome.cases) == 20
    assert most < first * 1.25 + 200_000, f"{first} bytes for an eighth, {most} for all"
    campaign.note(decisions=outcome.decisions, seconds=round(seconds), kilobytes=most // 1000)
