"""The demonstration's petitions: as many as there are scenarios, each where it should stand, and nothing to find fault with."""

from collections import Counter

from sqlalchemy import select

from engine.instances import Instance, Task
from tests.support.counties import County, prepare_with_procedures
from webapp import demo
from webapp.demo.petitions import SCENARIOS


def test_the_demonstrations_petitions(new_database):
    county = County(new_database("sqlite", prepare=prepare_with_procedures))
    seen = []
    made = demo.seed_petitions(county.system, county.now, lambda *step: seen.append(step))
    assert made == len(SCENARIOS) and seen[-1][1] == seen[-1][2]
    with county.system.database.read() as session:
        open_tasks = Counter(session.scalars(select(Task.element).where(Task.status.in_(("offered", "claimed")))))
        assert set(session.scalars(select(Instance.status))) <= {"active", "completed"}
    expected = ("register", "home_visit", "assess", "approve_plan", "plan", "willingness", "mediate", "governance", "confirmation", "police_noted")
    assert all(open_tasks[element] for element in expected), open_tasks
    assert demo.seed_petitions(county.system, county.now) == 0
    assert county.faults() == []
