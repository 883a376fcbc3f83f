"""Sessions are told apart and ended: by oneself, by whoever manages the account, and by what happens to it; at once in every process."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine import accounts, verification
from engine.audit import Event, Kind
from engine.commands import accounts as commands, organisation as units, sessions
from engine.exceptions import Forbidden, NotFound, NotSignedIn, TooManyAttempts
from tests.support.county import NOW, PASSWORD, open_system, person, small_county


@pytest.fixture
def system(backend, new_database):
    system = open_system(new_database(backend, small_county))
    yield system
    system.database.dispose()


@pytest.fixture
def twin(system):
    """Another process on the same database."""
    twin = open_system(system.database.url)
    yield twin
    twin.database.dispose()


def sign_in(system, username="ft-01-1", **options):
    return commands.sign_in(system, username, PASSWORD, now=NOW, **options)["token"]


def works(system, token, now=NOW) -> bool:
    with system.database.read() as session:
        try:
            accounts.session_actor(session.connection(), system.vault, token, now)
        except NotSignedIn:
            return False
    return True


def listed(system, username="ft-01-1", now=NOW):
    with system.database.read() as session:
        return accounts.open_sessions(session, person(system, username).person_id, now)


def events(system, username, kind):
    with system.database.read() as session:
        query = select(Event).where(Event.stream == f"access/{person(system, username).person_id}", Event.kind == kind)
        return list(session.scalars(query))


def clean(system) -> bool:
    with system.database.read() as session:
        return not list(verification.verify(session))


def test_sessions_are_listed_with_their_device_and_without_those_that_ended(system):
    phone, program = sign_in(system, device="android"), sign_in(system, kind="api")
    assert {(each.device, each.kind) for each in listed(system)} == {("android", "web"), (None, "api")}
    commands.sign_out(system, person(system, "ft-01-1"), phone, now=NOW)
    assert [each.kind for each in listed(system)] == ["api"]
    assert listed(system, now=NOW + accounts.LIFETIME["api"]) == [] and works(system, program)


def test_ending_a_session_works_at_once_in_every_process(system, twin):
    me = person(system, "ft-01-1")
    lost, kept, other = sign_in(system), sign_in(system), sign_in(system, "ft-02-1")
    assert works(twin, lost)
    assert sessions.end(system, me, accounts.digest(lost), now=NOW) == {"ended": 1}
    assert not works(twin, lost) and not works(system, lost) and works(twin, kept)
    for nobodys in (accounts.digest(lost), accounts.digest(other), "nonsense"):
        with pytest.raises(NotFound):
            sessions.end(system, me, nobodys, now=NOW)
    assert works(twin, other)
    assert [event.facts["ended"] for event in events(system, "ft-01-1", Kind.SESSION_REVOKED)] == [1]
    assert clean(system)


def test_all_others_end_and_this_one_stays(system, twin):
    tokens = [sign_in(system) for _ in range(3)]
    assert sessions.end_others(system, person(system, "ft-01-1"), tokens[1], now=NOW) == {"ended": 2}
    assert [works(twin, token) for token in tokens] == [False, True, False]
    assert sessions.end_others(system, person(system, "ft-01-1"), tokens[1], now=NOW) == {"ended": 0}
    assert len(events(system, "ft-01-1", Kind.SESSION_REVOKED)) == 1, "what ended nothing is no event"


def test_an_administrator_ends_anybodys_a_lead_the_own_workers(system):
    admin, lead = person(system, "admin"), person(system, "lead-01")
    token, leads, far = sign_in(system), sign_in(system, "lead-01"), sign_in(system, "ft-02-1")
    with system.database.read() as session:
        assert [each.id for each in commands.sessions_of(session, admin, "ft-01-1", NOW)] == [accounts.digest(token)]
        for stranger, username in ((lead, "ft-02-1"), (lead, "lead-02"), (lead, "lead-01"), (person(system, "auditor"), "ft-01-1")):
            with pytest.raises(Forbidden):
                commands.sessions_of(session, stranger, username, NOW)
    for username in ("ft-02-1", "lead-01", "supervisor"):
        with pytest.raises(Forbidden):
            commands.end_sessions(system, lead, username, now=NOW)
    assert works(system, far)
    assert commands.end_sessions(system, lead, "ft-01-1", accounts.digest(token), now=NOW) == {"ended": 1}
    assert commands.end_sessions(system, admin, "lead-01", now=NOW) == {"ended": 1}
    assert not works(system, token) and not works(system, leads)
    (event,) = events(system, "ft-01-1", Kind.SESSION_REVOKED)
    assert event.actor_id == lead.person_id, "in the stream of whose session it was, by who ended it"


def test_a_person_who_leaves_is_signed_out_and_stays_so_when_they_come_back(system):
    """It was enough to be active again: the sessions of before went on."""
    admin, me = person(system, "admin"), person(system, "ft-01-1")
    token = sign_in(system)
    units.change_person(system, admin, me.person_id, {"active": False}, now=NOW)
    units.change_person(system, admin, me.person_id, {"active": True}, now=NOW)
    assert not works(system, token) and clean(system)
    token = sign_in(system)
    commands.change_account(system, admin, "ft-01-1", active=False, now=NOW)
    commands.change_account(system, admin, "ft-01-1", active=True, now=NOW)
    assert not works(system, token)
    token = sign_in(system)
    commands.reset_password(system, admin, "ft-01-1", "another horse", now=NOW)
    assert not works(system, token) and len(events(system, "ft-01-1", Kind.SESSION_REVOKED)) == 3


def test_when_a_session_was_last_used_is_written_once_an_hour(system):
    token = sign_in(system)

    def use(minutes: int) -> bool:
        at = NOW + timedelta(minutes=minutes)
        with system.database.read() as session:
            stale = accounts.session_use(session.connection(), system.vault, token, at)[1]
        if stale:
            commands.note_use(system, token, now=at)
        return stale

    assert [use(minutes) for minutes in (0, 59, 60, 61, 119, 125)] == [False, False, True, False, False, True]
    assert listed(system)[0].used_at == NOW + timedelta(minutes=125)


# --- guessing ---------------------------------------------------------------------------------------------------------


def test_tokens_that_never_existed_are_told_to_wait_and_a_right_one_still_works(system, twin, monkeypatch):
    monkeypatch.setitem(accounts.FAILURES, "token", 3)
    good, ended = sign_in(system), sign_in(system)
    commands.sign_out(system, person(system, "ft-01-1"), ended, now=NOW)

    def try_(which, token, address="10.0.0.1", now=NOW):
        with pytest.raises((NotSignedIn, TooManyAttempts)) as refusal:
            commands.refuse_token(which, token, address=address, now=now)
        return refusal.type

    assert [try_(which, f"guess {number}") for number, which in enumerate((system, twin, system, twin, system))] == [
        *[NotSignedIn] * 3,
        *[TooManyAttempts] * 2,
    ]
    assert try_(system, "guess", "10.0.0.2") is NotSignedIn
    assert try_(system, ended) is NotSignedIn, "whose session ended has to be told so, to sign in again"
    assert try_(system, "guess", now=NOW + accounts.WINDOW) is NotSignedIn
    assert works(twin, good)


def test_an_ipv6_subscriber_counts_as_one_address():
    assert accounts.network("2001:db8:1:2:a::1") == accounts.network("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert accounts.network("2001:db8:1:3::1") != accounts.network("2001:db8:1:2::1")
    assert accounts.network("::ffff:10.0.0.1") == accounts.network("10.0.0.1") == "10.0.0.1"
    assert accounts.network("fe80::1%eth0") == "fe80::/64" and accounts.network("unix:") == "unix:"
