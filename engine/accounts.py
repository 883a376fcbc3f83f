"""Passwords, sign-in throttling, and sessions that the server keeps and can revoke.

Passwords: Argon2id (RFC 9106) with 19 MiB, two passes, one lane: OWASP's first choice for servers short of memory. RFC 9106's second
recommended profile (64 MiB, four lanes) would let a handful of people who sign in at the same moment push a web process over its 250 MB;
so a process also computes at most two hashes at a time, and the others wait their turn.
A session is a random token; the database knows only its SHA-256, so a stolen copy of it opens nothing.
"""

import hashlib
import secrets
import threading
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ForeignKey, String, bindparam, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.db import Base, Id, Instant
from engine.exceptions import InvalidRequest, NotSignedIn, TooManyAttempts
from engine.organisation import Account, Actor, Person, actor_from, select_actors
from engine.prepared import Prepared
from engine.vault import Vault

HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_TURNS = threading.BoundedSemaphore(2)
# Checked when nobody has the username, so that an answer's time does not tell which usernames exist.
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$c2h1aWJvIG5vYm9keSEhIQ$nbn2uZuwxKyL40434oeMstOTF8FBF29v74ADHPZpHek"

LIFETIME = {"web": timedelta(hours=12), "api": timedelta(hours=24)}  # a working day; a day's batch
WINDOW = timedelta(minutes=15)
FAILURES = {"username": 10, "address": 100}  # in a window; a whole township may share one address
PASSWORD = range(8, 129)  # characters


class AccessToken(Base):
    """A session of a browser (`web`) or a program (`api`). `id` is the SHA-256 of the token."""

    __tablename__ = "access_token"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("account.person_id"), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class SignInFailure(Base):
    """Wrong passwords in the current window, for a username or an address (both as keyed hashes). Shared by all processes."""

    __tablename__ = "sign_in_failure"
    county_id: Mapped[str] = mapped_column(Id, primary_key=True, sort_order=-1)
    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    failures: Mapped[int]
    since: Mapped[datetime] = mapped_column(Instant, index=True)


# --- passwords ------------------------------------------------------------------------------------------------------


def hash_password(password: str) -> str:
    """Argon2id hash with its parameters in it. Takes about 30 ms and 19 MiB."""
    with _TURNS:
        return HASHER.hash(password.encode(errors="surrogatepass"))


def password_fits(stored: str | None, password: str) -> bool:
    """Whether the password is right; takes as long when there is no stored hash."""
    with _TURNS:
        try:
            return HASHER.verify(stored or _NOBODY, password.encode(errors="surrogatepass")) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


def check_new_password(password: str, username: str) -> None:
    """Raises InvalidRequest unless it has 8 to 128 characters and does not hold the username (NIST SP 800-63B 5.1.1: length counts)."""
    if len(password) not in PASSWORD:
        raise InvalidRequest(field="password", reason="密码应为 8 到 128 个字符。")
    if username.lower() in password.lower():
        raise InvalidRequest(field="password", reason="密码不能包含用户名。")


# --- throttling -----------------------------------------------------------------------------------------------------


def check_throttle(session: Session, vault: Vault, county_id: str, username: str, address: str, now: datetime) -> None:
    """Raises TooManyAttempts (with the seconds left) after too many failures for this username or from this address.

    Counting happens after the password was checked, so that people who sign in together with the right one never block each other;
    a guesser gains at most as many tries as the servers have threads.
    """
    limits = {_subject(vault, county_id, kind, text): FAILURES[kind] for kind, text in _asked(username, address)}
    query = select(SignInFailure).where(SignInFailure.county_id == county_id, SignInFailure.subject.in_(limits))
    for row in session.scalars(query):
        left = row.since + WINDOW - now
        if row.failures >= limits[row.subject] and left > timedelta(0):
            raise TooManyAttempts(seconds=int(left.total_seconds()) + 1)


def count_failure(session: Session, vault: Vault, county_id: str, username: str, address: str, now: datetime) -> bool:
    """Count a wrong password; whether the username is blocked from now on. Old windows are swept on the way."""
    session.execute(delete(SignInFailure).where(SignInFailure.since <= now - WINDOW))
    dialect = {"sqlite": sqlite, "postgresql": postgresql}[session.get_bind().dialect.name]
    blocked = False
    for kind, text in _asked(username, address):
        row = {"county_id": county_id, "subject": _subject(vault, county_id, kind, text), "failures": 1, "since": now}
        insert = dialect.insert(SignInFailure).values(row)
        fresh = SignInFailure.since > now - WINDOW
        insert = insert.on_conflict_do_update(
            index_elements=["county_id", "subject"],
            set_={
                "failures": case((fresh, SignInFailure.failures + 1), else_=1),
                "since": case((fresh, SignInFailure.since), else_=now),
            },
        ).returning(SignInFailure.failures)
        failures = session.execute(insert).scalar_one()
        blocked |= kind == "username" and failures == FAILURES[kind]
    return blocked


def clear_failures(session: Session, vault: Vault, county_id: str, username: str) -> None:
    """The right password ends a username's window. An address keeps its count: one good account must not buy guesses at others."""
    subject = _subject(vault, county_id, "username", username)
    session.execute(delete(SignInFailure).where(SignInFailure.county_id == county_id, SignInFailure.subject == subject))


def _asked(username: str, address: str) -> list[tuple[str, str]]:
    return [("username", username)] + ([("address", address)] if address else [])


def _subject(vault: Vault, county_id: str, kind: str, text: str) -> str:
    return vault.index(county_id, f"sign-in-{kind}", text)


# --- sessions -------------------------------------------------------------------------------------------------------

_token = AccessToken.__table__.c
_SESSION_ACTOR = Prepared(
    select_actors(AccessToken.__table__, Account.__table__.c.person_id == _token.person_id).where(
        _token.id == bindparam("digest"),
        _token.expires_at > bindparam("now"),
        _token.revoked_at.is_(None),
        Account.__table__.c.active,
        Person.__table__.c.active,
    )
)


def open_session(session: Session, account: Account, now: datetime, kind: str = "web") -> tuple[str, datetime]:
    """A new token and when it expires; the person's expired ones are swept. The token is shown once and stored nowhere."""
    session.execute(delete(AccessToken).where(AccessToken.person_id == account.person_id, AccessToken.expires_at <= now))
    token = secrets.token_urlsafe(32)
    expires_at = now + LIFETIME[kind]
    session.add(
        AccessToken(
            id=digest(token),
            county_id=account.county_id,
            person_id=account.person_id,
            kind=kind,
            created_at=now,
            expires_at=expires_at,
            revoked_at=None,
        )
    )
    return token, expires_at


def session_actor(connection: Connection, vault: Vault, token: str, now: datetime) -> Actor:
    """Who holds this token, in one statement. Raises NotSignedIn when it is unknown, expired or revoked, or the person has left."""
    rows = _SESSION_ACTOR.rows(connection, {"digest": digest(token), "now": now})
    if not rows:
        raise NotSignedIn()
    return actor_from(vault, rows[0])


def revoke(session: Session, now: datetime, *, token: str | None = None, person_id: str | None = None, keep: str | None = None) -> int:
    """Revoke one token, or all of a person's but `keep`; how many were open."""
    query = update(AccessToken).where(AccessToken.revoked_at.is_(None)).values(revoked_at=now)
    if token is not None:
        query = query.where(AccessToken.id == digest(token))
    if person_id is not None:
        query = query.where(AccessToken.person_id == person_id)
    if keep is not None:
        query = query.where(AccessToken.id != digest(keep))
    if token is None and person_id is None:
        raise ValueError("whose?")
    return session.execute(query.execution_options(synchronize_session=False)).rowcount


def digest(token: str) -> str:
    """What the database knows of a token. Plain SHA-256 suffices: a token has 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()
