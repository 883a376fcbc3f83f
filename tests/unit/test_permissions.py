"""One table says who may what; what it does not say is denied."""

from dataclasses import replace

import pytest

from engine.exceptions import Forbidden
from engine.organisation import ROLES, WORKFORCE, Actor, covers
from engine.permissions import PERMISSION_NAMES, PERMISSIONS, may, require

NOBODY = replace(Actor.system("c"), roles=frozenset(), unit_path="county/station-01", unit_key="station-01")


def who(*roles, workforce=None, partner=None):
    return replace(NOBODY, roles=frozenset(roles), workforce=workforce, partner=partner)


def test_every_role_and_workforce_has_a_row_and_rows_grant_only_known_permissions():
    assert set(PERMISSIONS) == {*ROLES, *WORKFORCE, "system"}
    assert set().union(*PERMISSIONS.values()) == set(PERMISSION_NAMES)


def test_unknown_roles_permissions_and_people_without_roles_may_nothing():
    assert not any(may(who("emperor"), permission) for permission in PERMISSION_NAMES)
    assert not any(may(who(), permission) for permission in PERMISSION_NAMES)
    assert not may(Actor.system("c"), "client:sell")


def test_a_workforce_type_adds_to_the_role():
    assert may(who("worker", workforce="full_time"), "client:write")
    assert not may(who("worker"), "client:write")


@pytest.mark.parametrize("workforce", ["volunteer", "partner"])
def test_volunteers_and_partners_neither_start_cases_nor_read_clients(workforce):
    actor = who("worker", workforce=workforce)
    assert may(actor, "task:claim") and may(actor, "task:complete")
    assert not any(may(actor, permission) for permission in ("client:read", "client:write", "instance:start", "task:delegate"))


def test_only_a_supervisor_changes_procedures_and_parameters():
    for permission in ("definition:deploy", "definition:publish", "parameter:write"):
        assert {row for row, granted in PERMISSIONS.items() if permission in granted} == {"supervisor", "system"}


def test_an_admin_sees_no_case_and_no_client():
    assert not any(may(who("admin"), f"{noun}:read") for noun in ("client", "instance", "task"))


def test_an_auditor_changes_nothing():
    changing = {"write", "start", "cancel", "claim", "complete", "delegate", "release", "deploy", "publish", "manage", "retry", "send"}
    assert not any(may(who("auditor"), permission) for permission in PERMISSION_NAMES if permission.split(":")[1] in changing)


def test_a_resident_may_nothing_of_the_stations():
    assert not any(may(who("resident"), permission) for permission in PERMISSION_NAMES)


def test_require_refuses_with_the_name_of_the_right_and_by_place():
    lead = who("lead")
    require(lead, "client:write", "county/station-01/room-001")
    with pytest.raises(Forbidden) as refusal:
        require(lead, "client:write", "county/station-02/room-101")
    assert "登记服务对象" in refusal.value.message
    with pytest.raises(Forbidden):
        require(lead, "definition:publish")


@pytest.mark.parametrize(
    ("unit", "place", "covered"),
    [
        ("county", "county/station-01/room-001", True),
        ("county/station-01", "county/station-01", True),
        ("county/station-01", "county/station-01/room-001", True),
        ("county/station-01/room-001", "county/station-01", False),
        ("county/station-01", "county/station-010", False),
        ("county/station-01", "county/station-02/room-001", False),
    ],
)
def test_a_unit_covers_itself_and_what_is_below(unit, place, covered):
    assert covers(unit, place) is covered


def test_groups_name_role_workforce_and_partner_and_a_lead_stands_in_for_partners():
    assert who("worker", workforce="full_time").groups == {"worker", "full_time"}
    assert who("worker", workforce="partner", partner="child").groups == {"worker", "partner", "partner:child"}
    assert {"lead", "partner", "partner:child", "partner:petition"} <= who("lead").groups
    assert "full_time" not in who("lead").groups
