"""Parties of a case have keys of their own: one can be erased, the case and the others stay."""

import json

import pytest

from engine import definitions
from engine.commands.operations import correct
from engine.commands.parties import erase
from engine.exceptions import Erased, Forbidden, InvalidRequest, NotFound
from engine.instances import open_instance
from engine.parties import ERASED
from engine.vault import SubjectKey
from engine.workflow import Case
from tests.bpmn.builder import Diagram
from tests.integration.test_sealing import everything

GROUPS = '<zeebe:assignmentDefinition candidateGroups="full_time"/>'
PETITIONER = {"role": "petitioner", "name": "欧阳甲", "phone": "13800000001"}
NEIGHBOUR = {"role": "respondent", "name": "司徒乙", "phone": "13800000002"}
TOLD = "与前夫有债务"


def form(identity: str, *components: dict) -> str:
    schema = {"schemaVersion": 19, "type": "default", "id": identity, "components": list(components)}
    return json.dumps(schema, ensure_ascii=False)


def field(key: str, kind: str = "textfield", **more) -> dict:
    return {"type": kind, "id": f"f_{key}", "key": key, "label": key} | more


PARTY_LIST = {
    "type": "dynamiclist",
    "id": "list",
    "path": "parties",
    "label": "当事人",
    "isRepeating": True,
    "components": [field("role"), field("name"), field("phone")],
    "properties": {"party": "new"},
}
ABOUT = {
    "type": "group",
    "id": "about",
    "path": "visit",
    "label": "家访",
    "components": [field("findings"), field("hours", "number")],
    "properties": {"party": "party"},
}


@pytest.fixture
def dispute(county):
    """A case of two parties, one visited, the other waiting for it. Answers (county, case id)."""
    diagram = Diagram("dispute", "纠纷")
    diagram.add("startEvent", "start")
    diagram.user("register", GROUPS)
    diagram.script("first", "party", "parties[1]")
    diagram.user("visit_first", GROUPS)
    diagram.script("keep", "visits", "[visit]")
    diagram.script("second", "party", "parties[2]")
    diagram.user("visit_second", GROUPS)
    diagram.add("exclusiveGateway", "calm", default="calm_to_end")
    diagram.add("endEvent", "end")
    diagram.add("endEvent", "other")
    diagram.path("start", "register", "first", "visit_first", "keep", "second", "visit_second", "calm", "end")
    diagram.flow("calm", "other", 'some p in parties satisfies p.name = "无人"')
    files = {"register.form": form("register", PARTY_LIST, field("claim"))}
    files |= {f"{name}.form": form(name, ABOUT) for name in ("visit_first", "visit_second")}
    county.deploy(**{"dispute.bpmn": diagram.xml()}, **files)
    case = county.start("dispute", data={"parties": [PETITIONER, NEIGHBOUR], "claim": "宅基地"})["id"]
    county.do("ft-01-1", case, "visit_first", {"visit": {"findings": TOLD, "hours": 2}})
    return county, case


def variables(county, case):
    with county.system.database.read() as session:
        opened = open_instance(county.system, session, county.act("lead-01"), case)
        compiled = definitions.compiled(county.system, session, opened.instance.version_id)
        return Case.restore(compiled.process, opened.state["case"]).variables()


def test_parties_read_as_they_were_written(dispute):
    county, case = dispute
    found = variables(county, case)
    assert found["parties"] == [{"partyId": "1"} | PETITIONER, {"partyId": "2"} | NEIGHBOUR]
    assert found["visits"] == [{"partyId": "1", "findings": TOLD, "hours": 2}]
    told = str(county.history(case))
    assert all(word in told for word in ("欧阳甲", "司徒乙", TOLD))
    assert county.faults() == []


def test_erasing_one_party_leaves_the_case_and_the_others(dispute):
    county, case = dispute
    answer = erase(county.system, county.act("supervisor"), case, "1", "本人申请", now=county.now)
    assert answer == {"id": case, "party": "1"}
    found = variables(county, case)
    assert found["parties"] == [{"partyId": "1", "role": "petitioner", "name": ERASED, "phone": ERASED}, {"partyId": "2"} | NEIGHBOUR]
    assert found["visits"] == [{"partyId": "1", "findings": ERASED}]
    assert found["claim"] == "宅基地"
    told = str(county.history(case))
    assert not any(word in told for word in ("欧阳甲", "13800000001", TOLD))
    assert "司徒乙" in told and "宅基地" in told
    assert county.faults() == []


def test_a_case_goes_on_after_one_of_its_parties_was_erased(dispute):
    """Whatever is still written about an erased party is not kept either."""
    county, case = dispute
    erase(county.system, county.act("supervisor"), case, "2", "本人申请", now=county.now)
    county.do("ft-01-1", case, "visit_second", {"visit": {"findings": "搬走了", "hours": 1}})
    assert county.instance(case).status == "completed"
    found = variables(county, case)
    assert found["visit"] == {"partyId": "2", "findings": ERASED, "hours": None}
    assert found["parties"][0] == {"partyId": "1"} | PETITIONER
    assert "搬走了" not in str(county.history(case))
    assert county.faults() == []


def test_what_is_sealed_of_a_party_opens_with_its_own_key_only(dispute):
    """The case's key alone does not do: the state holds capsules."""
    county, case = dispute
    with county.system.database.read() as session:
        row = session.get(SubjectKey, county.instance(case).key_id)
        state = county.system.vault.open(row, county.instance(case).sealed_state, f"instance:{case}:state")
    assert not any(word in str(state) for word in ("欧阳甲", "司徒乙", TOLD))
    assert "宅基地" in str(state)
    assert b"\xe6\xac\xa7\xe9\x98\xb3\xe7\x94\xb2" not in everything(county)


def test_who_erases_whom(dispute):
    county, case = dispute
    with pytest.raises(Forbidden):
        erase(county.system, county.act("lead-01"), case, "1", "本人申请", now=county.now)
    with pytest.raises(InvalidRequest):
        erase(county.system, county.act("supervisor"), case, "1", " ", now=county.now)
    with pytest.raises(InvalidRequest):
        erase(county.system, county.act("supervisor"), case, "3", "本人申请", now=county.now)
    with pytest.raises(NotFound):
        erase(county.system, county.act("supervisor"), "nothing", "1", "本人申请", now=county.now)
    erase(county.system, county.act("supervisor"), case, "1", "本人申请", now=county.now)
    with pytest.raises(Erased):
        erase(county.system, county.act("supervisor"), case, "1", "本人申请", now=county.now)


def test_a_key_destroyed_past_the_system_is_a_fault(dispute):
    county, case = dispute
    with county.system.database.unit(county.now) as unit:
        key = unit.session.query(SubjectKey).filter_by(subject=f"party/{case}/1").one()
        county.system.vault.destroy(key, county.now)
        unit.commit()
    assert [fault.rsplit("[", 1)[1] for fault in county.faults()] == ["key_destroyed]"]
    assert variables(county, case)["parties"][0]["name"] == ERASED


def test_a_variable_that_is_no_list_stops_no_registration(county):
    """A correction, a message or a program may bring anything; the form's completion was a 500 until somebody corrected it again."""
    files = {"register.form": form("register", PARTY_LIST)}
    diagram = Diagram("odd")
    diagram.add("startEvent", "start"), diagram.user("register", GROUPS), diagram.add("endEvent", "end")
    diagram.path("start", "register", "end")
    county.deploy(**{"odd.bpmn": diagram.xml()} | files)
    case = county.start("odd")["id"]
    correct(county.system, county.act("lead-01"), case, "登记时写错", values={"parties": 5}, now=county.now)
    county.do("ft-01-1", case, "register", {"parties": [PETITIONER]})
    assert county.instance(case).status == "completed" and county.faults() == []
