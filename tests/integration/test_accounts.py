"""Signing in and out, throttling, sessions and passwords, on both databases."""

import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import event, select, text

from engine import accounts, verification
from engine.audit import Event, Kind
from engine.commands import accounts as commands, organisation as units
from engine.exceptions import Forbidden, InvalidRequest, NotSignedIn, TooManyAttempts, WrongCredentials
from engine.organisation import Account, actors, names_of
from tests.support.county import DEAR, NOW, PASSWORD, open_system, passwords_hashed, person, small_county

NEW = "a quite new one"


@pytest.fixture
def system(backend, new_database):
    system = open_system(new_database(backend, small_county))
    yield system
    system.database.dispose()


@pytest.fixture
def statements(system):
    """The SQL statements sent since the test asked."""
    sent = []
    event.listen(system.database.engine, "before_cursor_execute", lambda *call: sent.append(call[2]))
    return sent


def sign_in(system, username="ft-01-1", password=PASSWORD, now=NOW, **options):
    return commands.sign_in(system, username, password, now=now, **options)


def actor_with(system, token, now=NOW):
    with system.database.read() as session:
        return accounts.session_actor(session.connection(), system.vault, token, now)


def kinds(system, stream):
    with system.database.read() as session:
        return list(session.scalars(select(Event.kind).where(Event.stream == stream).order_by(Event.seq)))


def faults(system):
    with system.database.read() as session:
        return [str(fault) for fault in verification.verify(session)]


@pytest.mark.parametrize(
    "change",
    [
        "update access_token set person_id = (select person_id from account where username = 'supervisor')",
        "update access_token set expires_at = '2099-01-01 00:00:00+00:00'",
        "update access_token set id = 'of a token that somebody made up'",
        "insert into access_token select county_id, 'second', person_id, kind, created_at, expires_at, revoked_at, device, used_at from access_token",
    ],
)
def test_a_session_that_nobody_opened_is_found(system, change):
    sign_in(system)
    assert faults(system) == []
    with system.database.writing() as connection:
        connection.execute(text(change))
        connection.commit()
    [fault] = faults(system)
    assert fault.startswith("access_token/") and "session_forged" in fault


def test_a_token_answers_who_is_there_in_one_statement(system, statements):
    opened = sign_in(system)
    assert opened["actor"].username == "ft-01-1" and opened["actor"].name == "林专一"
    statements.clear()
    actor = actor_with(system, opened["token"])
    assert len([sql for sql in statements if sql.lstrip().upper().startswith("SELECT")]) == 1
    assert actor == opened["actor"]
    assert (actor.unit_key, actor.unit_path, actor.workforce, actor.roles) == (
        "station-01",
        "county/station-01",
        "full_time",
        frozenset({"worker"}),
    )
    assert actor.station_id == actor.unit_id


def test_an_assistant_belongs_to_the_rooms_station_and_the_county_to_none(system):
    station = person(system, "lead-01").unit_id
    assert person(system, "assistant-001").station_id == station
    assert person(system, "assistant-001").unit_path == "county/station-01/room-001"
    assert person(system, "supervisor").station_id is None


def test_the_database_knows_only_a_digest_and_the_history_knows_of_the_session(system):
    token = sign_in(system)["token"]
    with system.database.read() as session:
        stored = session.scalars(select(accounts.AccessToken)).one()
        assert stored.id == accounts.digest(token) and token not in repr(vars(stored))
    assert kinds(system, f"access/{person(system, 'ft-01-1').person_id}") == [Kind.SESSION_OPENED]
    assert faults(system) == []


def test_signing_out_and_expiry_end_a_session(system):
    token = sign_in(system)["token"]
    other = sign_in(system, kind="api")["token"]
    commands.sign_out(system, person(system, "ft-01-1"), token, now=NOW)
    with pytest.raises(NotSignedIn):
        actor_with(system, token)
    late = NOW + accounts.LIFETIME["api"]
    assert actor_with(system, other, late - timedelta(seconds=1)).username == "ft-01-1"
    with pytest.raises(NotSignedIn):
        actor_with(system, other, late)
    with pytest.raises(NotSignedIn):
        actor_with(system, "nonsense")


def test_wrong_credentials_all_sound_the_same(system):
    wrong = [("ft-01-1", "wrong"), ("nobody", PASSWORD), ("ft-01-1", ""), ("", ""), ("ft-01-1\x00", PASSWORD), ("\ud800", "\ud800")]
    for username, password in wrong:
        with pytest.raises(WrongCredentials) as refusal:
            sign_in(system, username, password)
        assert refusal.value.facts == {}


def test_a_username_is_blocked_after_ten_failures_for_the_rest_of_the_window(system):
    limit = accounts.FAILURES["username"]
    for attempt in range(limit):
        with pytest.raises(WrongCredentials):
            sign_in(system, password="wrong", now=NOW + timedelta(seconds=attempt), address=f"10.0.0.{attempt}")
    then = NOW + timedelta(minutes=10)
    with pytest.raises(TooManyAttempts) as refusal:
        sign_in(system, now=then)
    assert 290 <= refusal.value.facts["seconds"] <= 301
    assert sign_in(system, "pt-01-1", now=then)["token"]
    assert sign_in(system, now=NOW + accounts.WINDOW + timedelta(seconds=1))["token"]
    assert kinds(system, f"access/{person(system, 'ft-01-1').person_id}")[0] == Kind.ACCOUNT_BLOCKED
    assert faults(system) == []


def test_the_right_password_ends_the_count_of_the_username(system):
    for _round in range(2):
        for _attempt in range(accounts.FAILURES["username"] - 1):
            with pytest.raises(WrongCredentials):
                sign_in(system, password="wrong")
        assert sign_in(system)["token"]


def test_an_address_is_blocked_whatever_the_usernames(system, monkeypatch):
    monkeypatch.setitem(accounts.FAILURES, "address", 3)
    for username in ("a", "b", "c"):
        with pytest.raises(WrongCredentials):
            sign_in(system, username, "wrong", address="10.9.9.9")
    with pytest.raises(TooManyAttempts):
        sign_in(system, address="10.9.9.9")
    assert sign_in(system, address="10.9.9.8")["token"]


def test_failures_count_across_processes_and_threads(system):
    """The count is one statement in the database, so simultaneous failures are all counted."""
    twin = open_system(system.database.url)
    errors = []

    def guess(which):
        for _attempt in range(4):
            try:
                sign_in(which, "ft-02-1", "wrong")
            except (WrongCredentials, TooManyAttempts):
                pass
            except Exception as error:  # whatever else: the test's to show
                errors.append(error)

    threads = [threading.Thread(target=guess, args=(each,)) for each in (system, twin, system, twin)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    twin.database.dispose()
    assert errors == []
    with pytest.raises(TooManyAttempts):
        sign_in(system, "ft-02-1")


def test_no_more_than_two_hashes_are_computed_at_once(monkeypatch):
    running, most, lock = 0, 0, threading.Lock()

    class Slow:
        def verify(self, _stored, _password):
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            with lock:
                running -= 1
            return True

    monkeypatch.setattr(accounts, "HASHER", Slow())
    threads = [threading.Thread(target=accounts.password_fits, args=("x", "y")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_the_hash_costs_what_owasp_asks_and_nobody_costs_the_same():
    with passwords_hashed(DEAR):
        assert accounts.hash_password(NEW).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert not accounts.HASHER.check_needs_rehash(accounts._NOBODY)
        assert accounts.password_fits(None, "shuibo nobody!") is False


def test_changing_ones_password_ends_the_other_sessions(system):
    me, old = person(system, "ft-01-1"), sign_in(system)["token"]
    kept = sign_in(system)["token"]
    with pytest.raises(WrongCredentials):
        commands.change_password(system, me, "wrong", NEW, now=NOW)
    for bad in ("short", "x" * 129, "my FT-01-1 pass"):
        with pytest.raises(InvalidRequest):
            commands.change_password(system, me, PASSWORD, bad, now=NOW)
    commands.change_password(system, me, PASSWORD, NEW, now=NOW, keep=kept)
    assert actor_with(system, kept).username == "ft-01-1"
    with pytest.raises(NotSignedIn):
        actor_with(system, old)
    with pytest.raises(WrongCredentials):
        sign_in(system)
    assert sign_in(system, password=NEW)["token"]
    assert faults(system) == []


def test_an_admin_makes_closes_and_reopens_an_account(system):
    admin = person(system, "admin")
    added = units.add_person(system, admin, "吴新来", "station-02", "full_time", now=NOW)
    commands.create_account(system, admin, added["id"], "wu.xinlai", NEW, ["worker"], now=NOW)
    token = sign_in(system, "wu.xinlai", NEW)["token"]
    assert actor_with(system, token).name == "吴新来"
    commands.change_account(system, admin, "wu.xinlai", active=False, now=NOW)
    with pytest.raises(NotSignedIn):
        actor_with(system, token)
    with pytest.raises(WrongCredentials):
        sign_in(system, "wu.xinlai", NEW)
    commands.change_account(system, admin, "wu.xinlai", active=True, now=NOW)
    units.change_person(system, admin, added["id"], {"active": False}, now=NOW)
    with pytest.raises(WrongCredentials):
        sign_in(system, "wu.xinlai", NEW)
    assert faults(system) == []


def test_refused_accounts(system):
    admin = person(system, "admin")
    added = units.add_person(system, admin, "吴新来", "station-02", now=NOW)["id"]
    for username, password, role in [("Wu", NEW, "worker"), ("wu", "x", "worker"), ("wu", NEW, "king"), ("ft-01-1", NEW, "worker")]:
        with pytest.raises(InvalidRequest):
            commands.create_account(system, admin, added, username, password, [role], now=NOW)
    with pytest.raises(InvalidRequest):
        commands.change_account(system, admin, "admin", roles=["admin", "supervisor"], now=NOW)
    with pytest.raises(Forbidden):
        commands.create_account(system, person(system, "supervisor"), added, "wu", NEW, ["worker"], now=NOW)


def test_a_lead_keeps_the_accounts_of_the_own_station_and_raises_nobody(system):
    lead = person(system, "lead-01")
    commands.reset_password(system, lead, "ft-01-1", NEW, now=NOW)
    assert sign_in(system, password=NEW)["token"]
    for username in ("ft-02-1", "lead-01", "supervisor", "admin"):
        with pytest.raises(Forbidden):
            commands.reset_password(system, lead, username, NEW, now=NOW)
    with pytest.raises(Forbidden):
        commands.change_account(system, lead, "ft-01-1", roles=["worker", "admin"], now=NOW)
    assert Kind.RIGHT_REFUSED in kinds(system, f"access/{lead.person_id}")


def test_staff_names_are_sealed_and_found(system):
    with system.database.read() as session:
        found = actors(session, system.vault, system.county_id, "county/station-01", "lzy")
        assert [actor.username for actor in found] == ["ft-01-1"]
        found = actors(session, system.vault, system.county_id, "county", "宋站")
        assert [actor.username for actor in found] == ["lead-01", "lead-02"]
        assert actors(session, system.vault, system.county_id, "county", "%") == []
        everybody = actors(session, system.vault, system.county_id, "county/station-02/room-004")
        assert [actor.username for actor in everybody] == ["assistant-004"]
        some = names_of(session, system.vault, [found[0].person_id, "unknown"])
        assert some == {found[0].person_id: "宋站长"}


def test_a_changed_password_hash_shows(system):
    with system.database.unit(NOW) as unit:
        account = unit.session.scalar(select(Account).where(Account.username == "supervisor"))
        unit.session.connection().exec_driver_sql(
            f"UPDATE account SET password_hash = 'mine' WHERE person_id = '{account.person_id}'"
        )
        unit.commit()
    assert any("row_changed" in fault for fault in faults(system))
