"""Accounts, passwords, signing in and out."""

import contextlib
import re
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import accounts, audit
from engine.audit import Kind
from engine.commands import Act, command, stranded
from engine.commands.organisation import new_account
from engine.commands.sessions import end_all, end_one
from engine.exceptions import EngineError, Forbidden, InvalidRequest, NotFound, NotSignedIn, WrongCredentials
from engine.organisation import ROLES, Account, Actor, Person, Unit, actor_of
from engine.permissions import PERMISSION_NAMES, require
from engine.system import System

# Whom a station's lead may give or reset an account: not another lead, not the county's own roles.
LEAD_ROLES = frozenset({"worker", "resident"})


def sign_in(
    system: System, username: str, password: str, *, now: datetime, address: str = "", kind: str = "web", device: str | None = None
) -> dict:
    """Open a session; `kind` is "web" or "api", `device` a kind of device. Answers {token (shown this once), actor, expires_at: datetime}.

    Raises WrongCredentials (also for unknown and closed accounts) or TooManyAttempts.

    The password is checked outside any transaction: hashing takes long, and nobody else should wait for it.
    """
    username = username.strip()[:40]
    if not username.isprintable():
        username = ""  # nobody's
    with system.database.read() as session:
        accounts.check_throttle(session, system.vault, system.county_id, username, address, now)
        known = _known(session, system.county_id, username)
    stored = known.password_hash if known is not None and known.account_active and known.person_active else None
    if not accounts.password_fits(stored, password[:1000]):
        _count_failure(system, username, address, known and known.person_id, now)
        raise WrongCredentials()
    with system.database.unit(now) as unit:
        accounts.clear_failures(unit.session, system.vault, system.county_id, username)
        account = unit.session.scalar(_find(system.county_id, username).with_for_update())
        if account is None or not account.active or account.password_hash != stored:  # changed while we were hashing
            raise WrongCredentials()
        token, expires_at = accounts.open_session(unit.session, account, now, kind, device)
        actor = actor_of(unit.session, system.vault, account.person_id)
        if accounts.HASHER.check_needs_rehash(stored):
            account.password_hash = accounts.hash_password(password)
            audit.record(unit, account.__stream__(), Kind.PASSWORD_CHANGED, actor=actor, facts={"person": actor.person_id, "rehash": True})
        facts = {"kind": kind, "device": device, "expires_at": expires_at.isoformat(), "session": accounts.digest(token)[:16]}
        audit.record(unit, audit.stream("access", actor.person_id), Kind.SESSION_OPENED, actor=actor, facts=facts)
        unit.commit()
    return {"token": token, "actor": actor, "expires_at": expires_at}


def sign_out(system: System, actor: Actor, token: str, *, now: datetime) -> None:
    """Revoke a session; an unknown or ended one is left alone."""
    with system.database.unit(now) as unit:
        if accounts.revoke(unit.session, now, token=token):
            audit.record(unit, audit.stream("access", actor.person_id), Kind.SESSION_CLOSED, actor=actor)
            unit.commit()


def refuse_token(system: System, token: str, *, now: datetime, address: str = "") -> None:
    """What a program gets whose token opens nothing: raises NotSignedIn, or TooManyAttempts after too many that never existed.

    A token has 256 random bits, so nobody guesses one; this ends the noise of trying, and a right token from the same address still works.
    """
    with system.database.read() as session:
        known = session.get(accounts.AccessToken, accounts.digest(token)) is not None
        if not known:
            accounts.check_token_throttle(session, system.vault, system.county_id, address, now)
    if not known and address:
        with system.database.unit(now) as unit:
            accounts.count_token(unit.session, system.vault, system.county_id, address, now)
            unit.commit()
    raise NotSignedIn()


def note_use(system: System, token: str, *, now: datetime) -> None:
    """The session was used; a database that cannot write just now keeps nobody from reading."""
    with contextlib.suppress(EngineError), system.database.unit(now) as unit:
        accounts.note_use(unit.session, token, now)
        unit.commit()


@command("account:create", "account:manage")
def create_account(act: Act, person_id: str, username: str, password: str, roles: list[str]) -> dict:
    """Let a person sign in. Answers {username, person_id}; raises InvalidRequest, NotFound, Forbidden."""
    if not re.fullmatch(r"[a-z][a-z0-9._-]{1,39}", username):
        raise InvalidRequest(field="username", reason="用户名用小写字母开头，可含数字、点和短横，2 到 40 个字符")
    _check_roles(roles)
    accounts.check_new_password(password, username)
    person, unit_path = _person(act, person_id)
    _require_over(act.actor, unit_path, set(roles))
    taken = select(func.count()).select_from(Account)
    if act.session.scalar(taken.where(Account.county_id == act.actor.county_id, Account.username == username)):
        raise InvalidRequest(field="username", reason=f"用户名“{username}”已经使用")
    if act.session.get(Account, person_id) is not None:
        raise InvalidRequest(field="person", reason="这个人已经有账号")
    account = new_account(act, person, username, accounts.hash_password(password), roles)
    facts = {"person": person_id, "username": username, "roles": account.roles}
    act.record(account.__stream__(), Kind.ACCOUNT_CREATED, facts=facts)
    return {"username": username, "person_id": person_id}


@command("account:change", "account:manage")
def change_account(act: Act, username: str, roles: list[str] | None = None, active: bool | None = None) -> dict:
    """Give other roles, close or reopen. Closing ends the person's sessions. Answers {username, roles, active}.

    Raises InvalidRequest, NotFound, Forbidden.
    """
    account = _account(act, username)
    _, unit_path = _person(act, account.person_id)
    _require_over(act.actor, unit_path, set(account.roles) | set(roles or ()))
    if account.person_id == act.actor.person_id:
        raise InvalidRequest(field="username", reason="不能改自己的角色，也不能停用自己的账号")
    if roles is not None:
        _check_roles(roles)
        account.roles = sorted(roles)
    if active is not None:
        account.active = active
    if not account.active:
        end_all(act, account.person_id)
    stranded.left_by(act, username)
    facts = {"person": account.person_id, "roles": account.roles, "active": account.active}
    act.record(account.__stream__(), Kind.ACCOUNT_CHANGED, facts=facts)
    return {"username": username, "roles": account.roles, "active": account.active}


@command("account:reset-password", "account:manage")
def reset_password(act: Act, username: str, password: str) -> dict:
    """Give somebody a new password; their sessions end. Raises InvalidRequest, NotFound, Forbidden."""
    account = _account(act, username)
    _, unit_path = _person(act, account.person_id)
    _require_over(act.actor, unit_path, set(account.roles))
    accounts.check_new_password(password, username)
    _set_password(act, account, accounts.hash_password(password), keep=None)
    accounts.clear_failures(act.session, act.system.vault, account.county_id, username)
    return {"username": username}


@command("session:end-for", "account:manage")
def end_sessions(act: Act, username: str, session_id: str | None = None) -> dict:
    """End somebody's session, or all of them. Answers {ended}; raises NotFound, Forbidden."""
    account = _account(act, username)
    _, unit_path = _person(act, account.person_id)
    _require_over(act.actor, unit_path, set(account.roles))
    if session_id is not None:
        return end_one(act, account.person_id, session_id)
    return {"ended": end_all(act, account.person_id)}


def sessions_of(session: Session, actor: Actor, username: str, now: datetime) -> list[accounts.AccessToken]:
    """Somebody's open sessions, for whoever may end them. Raises NotFound, Forbidden."""
    query = select(Account, Unit.path).join(Person, Person.id == Account.person_id).join(Unit, Unit.id == Person.unit_id)
    row = session.execute(query.where(Account.county_id == actor.county_id, Account.username == username)).one_or_none()
    if row is None:
        raise NotFound(what="账号", key=username)
    _require_over(actor, row[1], set(row[0].roles))
    return accounts.open_sessions(session, row[0].person_id, now)


def change_password(
    system: System, actor: Actor, old: str, new: str, *, now: datetime, address: str = "", keep: str | None = None
) -> None:
    """Change one's own password; all sessions but the one of the token `keep` end.

    Raises WrongCredentials, TooManyAttempts (a stolen session must not guess either), InvalidRequest.
    """
    with system.database.read() as session:
        accounts.check_throttle(session, system.vault, system.county_id, actor.username, address, now)
        known = _known(session, actor.county_id, actor.username)
    if known is None or not accounts.password_fits(known.password_hash, old):
        _count_failure(system, actor.username, address, actor.person_id, now)
        raise WrongCredentials()
    accounts.check_new_password(new, actor.username)
    new_hash = accounts.hash_password(new)
    with system.database.unit(now) as unit:
        act = Act(system, actor, unit)
        _set_password(act, _account(act, actor.username), new_hash, keep)
        unit.commit()


def _set_password(act: Act, account: Account, password_hash: str, keep: str | None) -> None:
    account.password_hash = password_hash
    end_all(act, account.person_id, keep)
    act.record(account.__stream__(), Kind.PASSWORD_CHANGED, facts={"person": account.person_id})


def _count_failure(system: System, username: str, address: str, person_id: str | None, now: datetime) -> None:
    """Counted in the throttle table; only the block itself becomes history, or a guesser could flood it."""
    with system.database.unit(now) as unit:
        blocked = accounts.count_failure(unit.session, system.vault, system.county_id, username, address, now)
        if blocked and person_id is not None:
            stream = audit.stream("access", person_id)
            audit.record(unit, stream, Kind.ACCOUNT_BLOCKED, actor=Actor.system(system.county_id))
        unit.commit()


def _known(session: Session, county_id: str, username: str):
    """What is stored of a username: password_hash, person_id, account_active, person_active; or None. Free of its session."""
    query = select(
        Account.password_hash, Account.person_id, Account.active.label("account_active"), Person.active.label("person_active")
    )
    query = query.join(Person, Person.id == Account.person_id)
    return session.execute(query.where(Account.county_id == county_id, Account.username == username)).one_or_none()


def _find(county_id: str, username: str):
    return select(Account).where(Account.county_id == county_id, Account.username == username)


def _account(act: Act, username: str) -> Account:
    account = act.session.scalar(_find(act.actor.county_id, username).with_for_update())
    if account is None:
        raise NotFound(what="账号", key=username)
    return account


def _person(act: Act, person_id: str) -> tuple[Person, str]:
    query = select(Person, Unit.path).join(Unit, Unit.id == Person.unit_id)
    row = act.session.execute(query.where(Person.id == person_id, Person.county_id == act.actor.county_id)).one_or_none()
    if row is None:
        raise NotFound(what="人员", key=person_id)
    return row[0], row[1]


def _check_roles(roles: list[str]) -> None:
    if not roles or not set(roles) <= set(ROLES):
        raise InvalidRequest(field="roles", reason=f"角色应是 {'、'.join(ROLES)} 中的一个或几个")


def _require_over(actor: Actor, unit_path: str, roles: set[str]) -> None:
    """An admin manages every account; a lead those of the station's workers; nobody gains a role this way that is above them."""
    require(actor, "account:manage", unit_path)
    if not (actor.roles & {"admin", "system"} or roles <= LEAD_ROLES):
        raise Forbidden(permission=PERMISSION_NAMES["account:manage"], unit=actor.unit_key)
