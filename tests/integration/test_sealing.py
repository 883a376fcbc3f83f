"""Personal data is sealed wherever it lies: what is plain is a list, and no byte of the database holds what people typed."""

from pathlib import Path

import pytest
from sqlalchemy import make_url, select, text

from engine.commands.clients import register
from engine.commands.instances import cancel
from engine.commands.tasks import claim, complete
from engine.db import Base
from engine.exceptions import Erased, InvalidForm, RegulationRefused
from engine.instances import open_instance
from engine.vault import SubjectKey

# What each table shows in plain. A new column belongs here only if it can never hold what is known of a person.
PLAIN = {
    # What waits for another case or for a program. Correlation keys and message numbers are keyed hashes.
    "subscription": "county_id instance_id subscription token element trigger name key_hash definition_key opened_at",
    "start_subscription": "county_id definition_id element key trigger name",
    "started_case": "county_id instance_id definition_key key_hash",
    "called_case": "county_id instance_id parent_id parent_token depth",
    "message": (
        "county_id id name key_hash has_key message_id place_path published_by published_at expires_at correlated_to"
    ),
    "delivery": "county_id id kind source_id target_id place_path created_at next_at attempts error",
    "job": (
        "county_id instance_id token element type retries next_at lease_until worker leased_by attempts created_at"
    ),
    "alert": (
        "county_id id subject rule round notify place_path raised_at due_at next_at acknowledged_at acknowledged_by version"
    ),
    "outing": (
        "county_id id reporter_id instance_id task_id place_path station_id reported_at left_at expected_return returned_at cancelled_at "
        "next_at key_id version"
    ),
    "rerun": (
        "county_id id version_id against_id decision since until status outcome error requested_by requested_at ended_by ended_at version"
    ),
    "waiver": (
        "county_id id instance_id task_id person_id rule regulation waivable_by status asked_by asked_at decided_by decided_at expires_at version"
    ),
    "look": "county_id kind subject what looked_at next_at",
    # `plain`: what declarations do not seal, of somebody whom only an id names.
    "register_entry": (
        "county_id id register subject_id place_path station_id since until plain key_id added_by added_at ended_at next_at version"
    ),
    "outing_member": "county_id outing_id person_id",
    "case_member": "county_id instance_id person_id role since until version",
    "handover": (
        "county_id id kind person_id substitute_id first_day last_day status plan place_path begun_by begun_at ended_at key_id version"
    ),
    "handed_absence": "county_id entry_id handover_id by_clock over version",
    "handover_task": "county_id handover_id task_id instance_id from_id to_id outcome code version",
    "calendar_year": "county_id year number holidays workdays source imported_by imported_at version",
    "definition": "county_id id kind key name latest published_version_id",
    "idempotency_key": "county_id actor_id route key body created_at",
    "parameter": "county_id id unit_id key value about valid_from set_by set_at",
    "sign_in_failure": "county_id subject failures since",
    "stream": "county_id id seq hash",
    "subject_key": "county_id id subject wrapped created_at destroyed_at",
    "unit": "county_id id key kind parent_id path name valid_from valid_to successor_id version",
    "definition_version": "county_id id definition_id kind key number status deployed_by deployed_at published_by published_at",
    "event": "county_id stream seq kind actor_id occurred_at recorded_at facts rows key_id format algorithm previous_hash hash",
    "household": "county_id id unit_id station_id key_id version",
    "person": "county_id id unit_id workforce_type partner_kind key_id active version",
    "start_timer": "county_id definition_id element key armed_at next_at started",
    "account": "county_id person_id username password_hash roles active version",
    "client": "county_id id household_id unit_id station_id key_id registered_at updated_at version",
    "definition_resource": "county_id version_id name kind key content",
    "instance": (
        "county_id id number definition_key version_id version_number client_id unit_id place_path station_id status started_by "
        "started_at ended_at key_id revision"
    ),
    "person_index": "county_id token person_id",
    "access_token": "county_id id person_id kind created_at expires_at revoked_at device used_at",
    "client_index": "county_id token station_id unit_id client_id",
    "task": (
        "county_id id instance_id token element status groups workforce users excluded place_path station_id holder_id offered_at "
        "claimed_at ended_at due_at due_provisional priority revision"
    ),
    "timer": "county_id instance_id timer element due_at provisional calendar_based next_at attempts",
}
SEALED = {"idempotency_key": "answer", "event": "sealed", "household": "sealed", "person": "sealed_name", "client": "sealed"}
SEALED |= {"register_entry": "sealed", "waiver": "sealed"}
SEALED |= {"instance": "sealed_state", "outing": "sealed", "alert": "sealed", "message": "sealed", "delivery": "sealed", "job": "sealed_error"}
SEALED |= {"case_member": "sealed", "handover": "sealed"}

SECRETS = ["欧阳测甲", "13812345678", "儿子在狱中", "拒绝服药", "与邻居争执"]


def test_plain_columns_are_a_list():
    shown = {name: {column.name for column in table.c} for name, table in Base.metadata.tables.items()}
    assert shown == {name: set(plain.split()) | ({SEALED[name]} if name in SEALED else set()) for name, plain in PLAIN.items()}


@pytest.fixture
def told(working_county):
    """A case in which secrets were typed everywhere: registered, filled in, refused, retried, cancelled. Answers (county, case id)."""
    county = working_county
    worker = county.act("ft-01-1")
    data = {"name": SECRETS[0], "phone": SECRETS[1], "birth_date": "1950-01-02", "categories": ["minimum_living"]}
    client = register(county.system, worker, data, "room-001", now=county.now, key="k1")
    case = county.start("service_delivery", client_id=client["id"])["id"]
    visit = county.open_tasks(case)["visit"].id
    claim(county.system, worker, visit, now=county.now)
    form = {
        "clientName": SECRETS[0], "birthDate": "1950-01-02", "categories": ["minimum_living"], "channel": "visit",
        "situation": SECRETS[2], "urgency": "normal", "basis": "consent",
    }  # fmt: skip
    with pytest.raises((InvalidForm, RegulationRefused)):
        complete(county.system, worker, visit, form, now=county.now, key="k2")
    complete(county.system, worker, visit, form | {"consentSigned": True}, now=county.now, key="k2")
    response = {"respondedAt": "2026-03-02T10:00+08:00", "responseMethod": "phone", "responseNote": SECRETS[3]}
    county.do("ft-01-1", case, "first_response", response)
    cancel(county.system, county.act("lead-01"), case, SECRETS[4], now=county.now)
    return county, case


def test_no_byte_of_the_database_holds_what_people_typed(told):
    county, case = told
    held = "".join(str(line) for line in county.history(case))
    assert all(secret in held for secret in SECRETS[2:])  # so the search below looks for what is really there
    for secret in SECRETS:
        assert secret.encode() not in everything(county), secret


def test_a_destroyed_key_erases_the_case_and_leaves_the_proof(told):
    county, case = told
    with county.system.database.unit(county.now) as unit:
        key = unit.session.scalar(select(SubjectKey).where(SubjectKey.subject == f"instance/{case}"))
        county.system.vault.destroy(key, county.now)
        unit.commit()
    with county.system.database.read() as session, pytest.raises(Erased):
        open_instance(county.system, session, county.act("supervisor"), case)
    # Every event and row still holds; what is told is that no command did this.
    assert [fault.rsplit("[", 1)[1] for fault in county.faults()] == ["key_destroyed]"]


def everything(county) -> bytes:
    """All the database holds: the file and its log on SQLite, every column of every row besides."""
    found = []
    address = make_url(county.url)
    if address.get_backend_name() == "sqlite":
        found += [path.read_bytes() for path in Path(address.database).parent.glob(Path(address.database).name + "*")]
    with county.system.database.read() as session:
        for name in Base.metadata.tables:
            for row in session.execute(text(f'SELECT * FROM "{name}"')):
                found += [bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode() for value in row]
    return b"\n".join(found)
