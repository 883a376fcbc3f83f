"""What would this change have done? Past decisions are made again by a changed table, from what was kept of them."""

import json

import pytest

from engine import definitions
from engine.commands.tasks import claim
from engine.exceptions import RegulationRefused
from engine.regulations import Regulation, compile_regulation
from engine.reruns import CheckRerun, Outcome, outcome as walking
from tests.support.databases import ROOT
from tests.support.journeys import likely
from tests.support.tables import file, table

COLUMNS = [(text, "Any") for text in ("point", "values.urgency", "person.workforce", "person.never_kept")]
OUTPUTS = [(name, "string") for name in ("rule", "effect", "message", "message_en", "source", "waivable_by")]


def house_rule(*rows: list[str], key: str = "house") -> bytes:
    """A regulation of the tests: cells of point, risk, workforce, something nobody keeps; rule; effect."""
    said = ['"不行"', '"No"', '"站内默认"', '"lead"']
    return file(table(COLUMNS, OUTPUTS, [[*row, *said] for row in rows], hit="COLLECT", ident=key))


def begun(county, urgency: str) -> str:
    """A case whose first task was completed, at an urgency."""
    case = county.start("service_delivery")["id"]
    county.do("ft-01-1", case, "visit", likely("visit", county.now, urgency=urgency))
    return case


def in_force(county, session, key: str) -> Regulation | None:
    """The published regulation of this key."""
    return next((each for each in definitions.regulations_in_force(session, county.system.county_id) if each.key == key), None)


def made_again(county, content: bytes, **when) -> Outcome:
    """The outcome of making past decisions again by a changed table, each batch as if the process had been started anew."""
    outcome, more, changed = Outcome(), True, compile_regulation(content)
    while more:
        with county.system.database.read() as session:
            stopped = Outcome.of(json.loads(json.dumps(outcome.as_dict())))
            again = CheckRerun(county.system, changed, in_force(county, session, changed.key), **when, outcome=stopped)
            more, outcome = again.step(session), again.outcome
    assert outcome.seen == outcome.total
    return outcome


@pytest.fixture
def visited(working_county):
    """A county in whose cases one first task each was completed, at three urgencies, under a table that warns of soon."""
    working_county.deploy(**{"house.dmn": house_rule(['"complete"', '"soon"', "-", "-", '"house.soon"', '"warn"'])})
    return working_county, {each: begun(working_county, each) for each in ("normal", "soon", "urgent")}


def test_the_same_table_says_the_same(visited):
    county, _cases = visited
    outcome = made_again(county, house_rule(['"complete"', '"soon"', "-", "-", '"house.soon"', '"warn"']))
    assert (outcome.changed, outcome.failed, outcome.erased, outcome.cases) == (0, 0, 0, set())
    assert outcome.rules() == [{"rule": "house.soon", "effect": "warn", "before": 1, "after": 1}]
    assert outcome.decisions == 6  # three claims, three completions


def test_a_changed_cell_changes_the_verdicts_of_named_cases(visited):
    county, cases = visited
    outcome = made_again(county, house_rule(['"complete"', '"urgent"', "-", "-", '"house.soon"', '"block"']))
    assert outcome.cases == {cases["soon"], cases["urgent"]}
    assert {(each["instance"], tuple(each["before"]), tuple(each["after"])) for each in outcome.shown} == {
        (cases["soon"], ("house.soon",), ()),
        (cases["urgent"], (), ("house.soon",)),
    }
    assert {(line["effect"], line["before"], line["after"]) for line in outcome.rules()} == {("warn", 1, 0), ("block", 0, 1)}


def test_refused_acts_are_made_again_too(visited):
    """A loosened rule is about those who were stopped."""
    county, _cases = visited
    county.deploy(**{"house.dmn": house_rule(['"assign"', "-", '"part_time"', "-", '"house.part_time"', '"block"'])})
    case = county.start("service_delivery")
    with pytest.raises(RegulationRefused):
        claim(county.system, county.act("pt-01-1"), county.open_tasks(case["id"])["visit"].id, now=county.now)
    outcome = made_again(county, house_rule(['"assign"', "-", '"volunteer"', "-", '"house.part_time"', '"block"']))
    assert [(each["instance"], each["before"], each["after"]) for each in outcome.shown] == [(case["id"], {"house.part_time": "block"}, {})]
    assert county.faults() == []


def test_what_nobody_kept_is_named_and_not_guessed(visited):
    county, _cases = visited
    outcome = made_again(
        county,
        house_rule(
            ['"complete"', '"soon"', "-", "-", '"house.soon"', '"warn"'],
            ['"complete"', "-", "-", "null", '"house.new"', '"block"'],
        ),
    )
    assert outcome.unknown == {"house_r2": {"person.never_kept"}}
    assert outcome.changed == 0


def test_only_the_decisions_between_two_moments(visited):
    county, _cases = visited
    changed = house_rule(['"complete"', '"urgent"', "-", "-", '"house.soon"', '"block"'])
    assert made_again(county, changed, until=county.now).decisions == 0
    assert made_again(county, changed, since=county.now).decisions == 6


def test_a_table_that_fails_is_counted_and_stops_nothing(visited):
    county, _cases = visited
    content = house_rule(['"complete"', '"soon"', "-", "-", '"house.soon"', '"warn"'])
    outcome = made_again(county, content.replace(b'typeRef="Any"', b'typeRef="number"', 2))
    assert outcome.failed and outcome.decisions + outcome.failed == 6


def test_more_than_one_batch_and_the_products_own_tables(working_county, monkeypatch):
    """Each table of the product says of its own past what it said then."""
    monkeypatch.setattr(walking, "BATCH", 3)
    cases = 4
    for _ in range(cases):
        begun(working_county, "soon")
    for name in ("safety", "duties", "service_process"):
        content = (ROOT / "bpmn" / "regulations" / f"{name}.dmn").read_bytes()
        outcome = made_again(working_county, content)
        assert (outcome.decisions, outcome.changed, outcome.failed) == (cases * 2, 0, 0), name
        assert outcome.unknown == {}
