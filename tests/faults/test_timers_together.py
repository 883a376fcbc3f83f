"""A thousand timers due at the same moment, and two workers: each fires once, whoever it is that fires it."""

from collections import Counter

from sqlalchemy import select

from engine.audit import Event, Kind
from engine.instances import Instance
from tests.bench.timers import HOLDERS, TIMERS_EACH, fire_together, prepare_timers


def test_two_workers_fire_each_timer_once(county):
    cases = prepare_timers(county)
    fired = fire_together(county, 2)
    assert sum(fired) == HOLDERS * TIMERS_EACH
    with county.system.database.read() as session:
        lines = session.execute(select(Event.stream, Event.facts).where(Event.kind == Kind.TIMER_FIRED))
        times = Counter((line.stream, line.facts["timer"]) for line in lines)
        statuses = Counter(session.scalars(select(Instance.status).where(Instance.id.in_(cases))))
    assert len(times) == HOLDERS * TIMERS_EACH and set(times.values()) == {1}
    assert statuses == {"completed": HOLDERS}
    assert county.faults() == []
