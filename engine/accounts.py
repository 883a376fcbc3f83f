"""Passwords, sign-in throttling, and sessions that the server keeps and can revoke.

Passwords: Argon2id (RFC 9106) with 19 MiB, two passes, one lane: OWASP's first choice for servers short of memory. RFC 9106's second
recommended profile (64 MiB, four lanes) would let a handful of people who sign in at the same moment push a web process over its 250 MB;
so a process also computes at most two hashes at a time, and the others wait their turn.
A session is a random token; the database knows only its SHA-256, so a stolen copy of it opens nothing. Each request asks for its session
anew, so one that is revoked ends at once, in whatever process.
"""

import hashlib
import ipaddress
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
# In a window; a whole township may share one address. `token`: bearer tokens that never existed, from one address.
FAILURES = {"username": 10, "address": 100, "token": 300}
NOTED = timedelta(hours=1)  # how exactly it is known when a session was last used: a write at most so often
PASSWORD = range(8, 129)  # characters


class AccessToken(Base):
    """A session of a browser (`web`) or a program (`api`). `id` is the SHA-256 of the token.

    `device` is a kind of device ("android", "windows"), no more; `used_at` is when it was last used, to the hour.
    """

    __tablename__ = "access_token"
    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("account.person_id"), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    device: Mapped[str | None] = mapped_column(String(16))
    used_at: Mapped[datetime | None] = mapped_column(Instant)


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
            raise TooManyAttempts(left.total_seconds())


def count_failure(session: Session, vault: Vault, county_id: str, username: str, address: str, now: datetime) -> bool:
    """Count a wrong password; whether the username is blocked from now on. Old windows are swept on the way."""
    blocked = False
    for kind, text in _asked(username, address):
        failures = _count(session, county_id, _subject(vault, county_id, kind, text), now)
        blocked |= kind == "username" and failures == FAILURES[kind]
    return blocked


def _count(session: Session, county_id: str, subject: str, now: datetime) -> int:
    """One more in the subject's window; how many there are. One statement, so that all processes count alike."""
    session.execute(delete(SignInFailure).where(SignInFailure.since <= now - WINDOW))
    dialect = {"sqlite": sqlite, "postgresql": postgresql}[session.get_bind().dialect.name]
    insert = dialect.insert(SignInFailure).values({"county_id": county_id, "subject": subject, "failures": 1, "since": now})
    fresh = SignInFailure.since > now - WINDOW
    insert = insert.on_conflict_do_update(
        index_elements=["county_id", "subject"],
        set_={"failures": case((fresh, SignInFailure.failures + 1), else_=1), "since": case((fresh, SignInFailure.since), else_=now)},
    )
    return session.execute(insert.returning(SignInFailure.failures)).scalar_one()


def clear_failures(session: Session, vault: Vault, county_id: str, username: str) -> None:
    """The right password ends a username's window. An address keeps its count: one good account must not buy guesses at others."""
    subject = _subject(vault, county_id, "username", username)
    session.execute(delete(SignInFailure).where(SignInFailure.county_id == county_id, SignInFailure.subject == subject))


def check_token_throttle(session: Session, vault: Vault, county_id: str, address: str, now: datetime) -> None:
    """Raises TooManyAttempts after too many tokens that never existed from this address."""
    row = session.get(SignInFailure, (county_id, _subject(vault, county_id, "token", network(address))))
    left = row.since + WINDOW - now if row is not None and row.failures >= FAILURES["token"] else timedelta(0)
    if left > timedelta(0):
        raise TooManyAttempts(left.total_seconds())


def count_token(session: Session, vault: Vault, county_id: str, address: str, now: datetime) -> None:
    """Count a token that never existed."""
    _count(session, county_id, _subject(vault, county_id, "token", network(address)), now)


def network(address: str) -> str:
    """What stands for an address: of IPv6 its first 64 bits, since one subscriber has them all; of an IPv4 address in IPv6 the IPv4 one."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))


def _asked(username: str, address: str) -> list[tuple[str, str]]:
    return [("username", username)] + ([("address", network(address))] if address else [])


def _subject(vault: Vault, county_id: str, kind: str, text: str) -> str:
    return vault.index(county_id, f"sign-in-{kind}", text)


# --- sessions -------------------------------------------------------------------------------------------------------

_token = AccessToken.__table__.c
_SESSION_ACTOR = Prepared(
    select_actors(AccessToken.__table__, Account.__table__.c.person_id == _token.person_id)
    .add_columns(_token.used_at)
    .where(
        _token.id == bindparam("digest"),
        _token.expires_at > bindparam("now"),
        _token.revoked_at.is_(None),
        Account.__table__.c.active,
        Person.__table__.c.active,
    )
)


def open_session(
    session: Session, account: Account, now: datetime, kind: str = "web", device: str | None = None
) -> tuple[str, datetime]:
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
            device=device,
            used_at=now,
        )
    )
    return token, expires_at


def session_actor(connection: Connection, vault: Vault, token: str, now: datetime) -> Actor:
    """Who holds this token, in one statement. Raises NotSignedIn when it is unknown, expired or revoked, or the person has left."""
    return session_use(connection, vault, token, now)[0]


def session_use(connection: Connection, vault: Vault, token: str, now: datetime) -> tuple[Actor, bool]:
    """As `session_actor`; and whether it is time to `note_use` of the session."""
    rows = _SESSION_ACTOR.rows(connection, {"digest": digest(token), "now": now})
    if not rows:
        raise NotSignedIn()
    *row, used_at = rows[0]
    return actor_from(vault, row), used_at is None or used_at <= now - NOTED


def note_use(session: Session, token: str, now: datetime) -> None:
    """The session was used now."""
    query = update(AccessToken).where(AccessToken.id == digest(token)).values(used_at=now)
    session.execute(query.execution_options(synchronize_session=False))


def open_sessions(session: Session, person_id: str, now: datetime) -> list[AccessToken]:
    """A person's sessions that are neither expired nor revoked, the newest first."""
    query = select(AccessToken).where(AccessToken.person_id == person_id, AccessToken.expires_at > now)
    query = query.where(AccessToken.revoked_at.is_(None)).order_by(AccessToken.created_at.desc(), AccessToken.id)
    return list(session.scalars(query))


def revoke(
    session: Session,
    now: datetime,
    *,
    token: str | None = None,
    person_id: str | None = None,
    session_id: str | None = None,
    keep: str | None = None,
) -> int:
    """Revoke one token, or all of a person's but `keep`, or the one of the person's with this id; how many were open."""
    query = update(AccessToken).where(AccessToken.revoked_at.is_(None), AccessToken.expires_at > now).values(revoked_at=now)
    if token is not None:
        query = query.where(AccessToken.id == digest(token))
    if person_id is not None:
        query = query.where(AccessToken.person_id == person_id)
    if session_id is not None:
        query = query.where(AccessToken.id == session_id)
    if keep is not None:
        query = query.where(AccessToken.id != digest(keep))
    if token is None and person_id is None:
        raise ValueError("whose?")
    return session.execute(query.execution_options(synchronize_session=False)).rowcount


def digest(token: str) -> str:
    """What the database knows of a token. Plain SHA-256 suffices: a token has 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()
