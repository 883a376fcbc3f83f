"""The event streams: what happened, chained so that a change shows.

Each stream is one SHA-256 chain over canonical JSON. The last event that a transaction adds to a stream names the hash of every guarded
row the transaction left, so `verify` compares the tables with the history. Nothing ever updates or deletes an event.
"""

import base64
import functools
import hashlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import Index, String, bindparam, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.db import Base, Fetch, Id, Instant, Json, UnitOfWork, canonical, instant_text
from engine.exceptions import StaleVersion
from engine.prepared import Prepared
from engine.vault import SubjectKey, Vault

FORMAT = 1
ALGORITHM = "sha256"
GENESIS = "0" * 64


class Kind(StrEnum):
    """Every kind of event, as subject:action. Steps of a running case use the names that `engine.workflow` gives them."""

    INSTANCE_STARTED = "instance:started"
    INSTANCE_CANCELLED = "instance:cancelled"
    INSTANCE_RETRIED = "instance:retried"
    INSTANCE_MOVED = "instance:moved"
    CASE_CALLED = "case:called"
    OPERATION_MOVED = "operation:moved"
    OPERATION_CORRECTED = "operation:corrected"
    MESSAGE_PUBLISHED = "message:published"
    MESSAGE_CORRELATED = "message:correlated"
    MESSAGE_EXPIRED = "message:expired"
    SIGNAL_BROADCAST = "signal:broadcast"
    DELIVERY_QUEUED = "delivery:queued"
    DELIVERY_DONE = "delivery:done"
    DELIVERY_DROPPED = "delivery:dropped"
    DELIVERY_FAILED = "delivery:failed"
    DELIVERY_RETRIED = "delivery:retried"
    JOB_ACTIVATED = "job:activated"
    TASK_CLAIMED = "task:claimed"
    TASK_RELEASED = "task:released"
    TASK_DELEGATED = "task:delegated"
    TASK_RETURNED = "task:returned"
    TASK_REOFFERED = "task:reoffered"
    TASK_ASSIGNED = "task:assigned"
    TASK_DISPATCHED = "task:dispatched"
    TASK_HANDED_OVER = "task:handed_over"
    TASK_TAKEN_BACK = "task:taken_back"
    TASK_NOT_MOVED = "task:not_moved"
    TASK_COMPLETED = "task:completed"
    TASK_LATE = "task:late"
    PERIOD_ENDED = "period:ended"
    PARTY_REGISTERED = "party:registered"
    PARTY_ERASED = "party:erased"
    INSTANCE_PARTY_ERASED = "instance:party_erased"
    DOCUMENT_VIEWED = "document:viewed"
    DOCUMENT_PRINTED = "document:printed"
    REGULATION_CHECKED = "regulation:checked"
    REGULATION_REFUSED = "regulation:refused"
    RIGHT_REFUSED = "right:refused"
    WAIVER_ASKED = "waiver:asked"
    WAIVER_GRANTED = "waiver:granted"
    WAIVER_REFUSED = "waiver:refused"
    WAIVER_WITHDRAWN = "waiver:withdrawn"
    WAIVER_REVOKED = "waiver:revoked"
    TIMER_FIRED = "timer:due"
    TIMER_FAILED = "timer:failed"
    START_TIMER_FIRED = "timer:started"
    START_TIMER_FAILED = "timer:start_failed"
    TIMER_RESCHEDULED = "timer:rescheduled"
    DEFINITION_DEPLOYED = "definition:deployed"
    DEFINITION_PUBLISHED = "definition:published"
    DEFINITION_WITHDRAWN = "definition:withdrawn"
    RERUN_STARTED = "rerun:started"
    RERUN_ENDED = "rerun:ended"
    RERUN_CANCELLED = "rerun:cancelled"
    PARAMETER_SET = "parameter:set"
    CALENDAR_IMPORTED = "calendar:imported"
    CALENDAR_RECOUNTED = "calendar:recounted"
    COUNTY_IMPORTED = "county:imported"
    UNIT_ADDED = "unit:added"
    UNIT_CLOSED = "unit:closed"
    UNIT_MERGED = "unit:merged"
    PERSON_ADDED = "person:added"
    PERSON_CHANGED = "person:changed"
    ACCOUNT_CREATED = "account:created"
    ACCOUNT_CHANGED = "account:changed"
    ACCOUNT_BLOCKED = "account:blocked"
    PASSWORD_CHANGED = "password:changed"
    SESSION_OPENED = "session:opened"
    SESSION_CLOSED = "session:closed"
    SESSION_REVOKED = "session:revoked"
    CLIENT_REGISTERED = "client:registered"
    CLIENT_UPDATED = "client:updated"
    CLIENT_MOVED = "client:moved"
    CLIENT_VIEWED = "client:viewed"
    CLIENT_ERASED = "client:erased"
    HOUSEHOLD_REGISTERED = "household:registered"
    HOUSEHOLD_MOVED = "household:moved"
    HOUSEHOLD_ERASED = "household:erased"
    OUTING_REPORTED = "outing:reported"
    OUTING_LEFT = "outing:left"
    OUTING_EXTENDED = "outing:extended"
    OUTING_RETURNED = "outing:returned"
    OUTING_CANCELLED = "outing:cancelled"
    OUTING_OVERDUE = "outing:overdue"
    ALERT_RAISED = "alert:raised"
    ALERT_OVERDUE = "alert:overdue"
    ALERT_ACKNOWLEDGED = "alert:acknowledged"
    REGISTER_ADDED = "register:added"
    REGISTER_CHANGED = "register:changed"
    REGISTER_ENDED = "register:ended"
    REGISTER_IMPORTED = "register:imported"
    REGISTER_MOVED = "register:moved"
    REGISTER_LAPSES = "register:lapses"
    HANDOVER_BEGUN = "handover:begun"
    HANDOVER_DONE = "handover:done"
    ABSENCE_BEGUN = "absence:begun"
    ABSENCE_OVER = "absence:over"
    HANDOVER_PROLONGED = "handover:prolonged"
    HANDOVER_ENDED = "handover:ended"
    HANDOVER_RETURNED = "handover:returned"
    BACKUP_RESTORED = "backup:restored"


class Stream(Base):
    """The head of one chain; locking this row is locking the stream."""

    __tablename__ = "stream"
    __table_args__: ClassVar = {"sqlite_with_rowid": False}
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


# The events that tell what the regulations said. Written out, as their index has it, or PostgreSQL would not see that it fits.
_SPOKEN = text("kind IN ('regulation:checked', 'regulation:refused')")


class Event(Base):
    """One line of history. `facts` hold no personal data; `sealed` does, under `key_id`'s key, and the hash covers the ciphertext."""

    __tablename__ = "event"
    __table_args__: ClassVar = (
        Index("event_spoken", "county_id", "recorded_at", postgresql_where=_SPOKEN, sqlite_where=_SPOKEN),  # few: others pay nothing for it
        {"sqlite_with_rowid": False},  # kept in the order of its key: a case's history lies together
    )
    stream: Mapped[str] = mapped_column(String(80), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    actor_id: Mapped[str | None] = mapped_column(Id)
    occurred_at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    facts: Mapped[dict] = mapped_column(Json)
    rows: Mapped[dict] = mapped_column(Json)
    sealed: Mapped[bytes | None]
    key_id: Mapped[str | None] = mapped_column(Id)
    format: Mapped[int]
    algorithm: Mapped[str] = mapped_column(String(16))
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


SPOKEN = text("event.kind IN ('regulation:checked', 'regulation:refused')")  # as a condition of queries


def stream(subject: str, identity: str) -> str:
    """The id of a stream: `stream("instance", id)`."""
    return f"{subject}/{identity}"


def record(
    unit: UnitOfWork,
    stream_id: str,
    kind: str,
    *,
    actor,
    facts: dict | None = None,
    sealed: dict | None = None,
    key: SubjectKey | None = None,
    vault: Vault | None = None,
    occurred_at: datetime | None = None,
) -> None:
    """Add an event to a stream of this unit of work; it is chained and written at commit.

    `facts`: plain JSON without personal data. `sealed`: JSON with personal data; needs `key` and `vault`.
    """
    _journal(unit).append(stream_id, kind, actor, facts or {}, sealed, key, vault, occurred_at)


def row_hash(row) -> str:
    """SHA-256 over the canonical JSON of all columns of a guarded row."""
    names, held = _columns(type(row))[1], row.__dict__  # the attributes of the ORM cost more than the hash
    values = {name: held[name] if name in held else getattr(row, name) for name in names}
    values = {name: value if value.__class__ in _AS_IT_IS else _plain(value) for name, value in values.items()}
    return hashlib.sha256(canonical(values).encode()).hexdigest()


def row_name(row) -> str:
    """`table/primary key`: how `Event.rows` names a row."""
    table, _names, key = _columns(type(row))
    return "/".join([table, *(str(getattr(row, part)) for part in key)])


def event_hash(event: Mapping) -> str:
    """The hash of an event: over everything but itself; the sealed payload enters as the hash of its ciphertext."""
    body = dict(event)
    body.pop("hash", None)
    body["occurred_at"], body["recorded_at"] = _plain(event["occurred_at"]), _plain(event["recorded_at"])
    if event["sealed"] is not None:
        body["sealed"] = hashlib.sha256(event["sealed"]).hexdigest()
    return hashlib.sha256(canonical(body).encode()).hexdigest()


def events(session: Session, stream_id: str, after: int = 0, limit: int | None = None) -> list[Event]:
    """A stream's events in order, from sequence `after` on."""
    query = select(Event).where(Event.stream == stream_id, Event.seq > after).order_by(Event.seq)
    return list(session.scalars(query.limit(limit) if limit else query))


def as_line(vault: Vault, event: Event, key: SubjectKey | None) -> dict:
    """An event for people and programs: plain JSON with its payload opened (`data`), null when the key is destroyed."""
    data = None
    if event.sealed is not None and key is not None and key.wrapped:
        data = vault.open(key, event.sealed, f"event:{event.stream}:sealed")
    return {
        "seq": event.seq,
        "kind": event.kind,
        "actor_id": event.actor_id,
        "occurred_at": event.occurred_at.isoformat(),
        "recorded_at": event.recorded_at.isoformat(),
        "facts": event.facts,
        "data": data,
        "hash": event.hash,
    }


class _Journal:
    """The events a unit of work has gathered, by stream, and the guarded rows it touched."""

    def __init__(self, unit: UnitOfWork):
        self.unit = unit
        self.now = unit.now.astimezone(UTC)
        self.pending: dict[str, list[dict]] = defaultdict(list)
        self.touched: dict[str, dict[str, str | None]] = defaultdict(dict)
        self.heads: dict[str, Stream] = {}
        unit.before_commit.append(self.close)

    def append(self, stream_id, kind, actor, facts, sealed, key, vault, occurred_at) -> None:
        payload = None
        if sealed is not None:
            payload = vault.seal(key, sealed, f"event:{stream_id}:sealed")
        self.pending[stream_id].append(
            {
                "county_id": actor.county_id,
                "stream": stream_id,
                "kind": str(kind),
                "actor_id": actor.person_id,
                "occurred_at": self.now if occurred_at is None else occurred_at.astimezone(UTC),
                "recorded_at": self.now,
                "facts": facts,
                "rows": {},
                "sealed": payload,
                "key_id": key.id if payload is not None else None,
                "format": FORMAT,
                "algorithm": ALGORITHM,
            }
        )

    def close(self) -> None:
        """Chain what was gathered over the rows that were written. The unit of work calls it once, just before it commits."""
        for row in _guarded(self.unit.removed):
            self.touched[row.__stream__()][row_name(row)] = None
        # Last, for a row may come in the place of one removed (a start timer of the next version).
        left = {key: row for key, row in self.unit.changed.items() if key not in self.unit.removed}
        for row in _guarded(left):
            self.touched[row.__stream__()][row_name(row)] = row_hash(row)
        orphans = self.touched.keys() - self.pending.keys()
        if orphans:
            raise AssertionError(f"rows changed without an event: {sorted(orphans)}")
        written = []
        for stream_id in sorted(self.pending):  # in one order everywhere, so that two transactions never wait for each other
            drafts = self.pending[stream_id]
            drafts[-1]["rows"] = self.touched.get(stream_id, {})
            written += self._chain(self._head(stream_id, drafts[0]["county_id"]), drafts)
        if written:
            _INSERT_EVENTS.run(self.unit.connection, written)
        self.pending.clear()
        self.touched.clear()

    def _head(self, stream_id: str, county_id: str) -> Stream:
        known = self.heads.get(stream_id)
        if known is None:
            connection = self.unit.connection
            found = _LOCK_STREAM(connection, stream=stream_id)
            if found is None:
                _open(connection, stream_id, county_id)
                found = _LOCK_STREAM(connection, stream=stream_id)
            known = self.heads[stream_id] = found[0]
        return known

    def _chain(self, head: Stream, drafts: list[dict]) -> list[dict]:
        before, seq, last = head.seq, head.seq, head.hash
        for draft in drafts:
            seq += 1
            draft["seq"], draft["previous_hash"] = seq, last
            draft["hash"] = last = event_hash(draft)
        head.seq, head.hash = seq, last
        if _MOVE_HEAD.run(self.unit.connection, {"stream": head.id, "before": before, "new_seq": seq, "new_hash": last}) != 1:
            raise StaleVersion()
        return drafts


_INSERT_EVENTS = Prepared(Event.__table__.insert())
_LOCK_STREAM = Fetch(Stream, where=[Stream.id == bindparam("stream")], lock=True)
_MOVE_HEAD = Prepared(
    Stream.__table__.update()
    .where(Stream.id == bindparam("stream"), Stream.seq == bindparam("before"))
    .values(seq=bindparam("new_seq"), hash=bindparam("new_hash"))
)


def adopt(unit: UnitOfWork, head: Stream) -> None:
    """Hand over a stream's head that the caller has read under its lock, so that it is not read again."""
    _journal(unit).heads[head.id] = head


def open_stream(unit: UnitOfWork, stream_id: str, county_id: str) -> None:
    """Make the stream of a subject that nobody else can know yet."""
    _open(unit.connection, stream_id, county_id)
    adopt(unit, Stream(id=stream_id, county_id=county_id, seq=0, hash=GENESIS))


def _guarded(rows: dict[int, object]) -> list:
    return [row for row in rows.values() if hasattr(row, "__stream__")]


def _open(connection: Connection, stream_id: str, county_id: str) -> None:
    """Make a stream that may be made by another transaction at the same moment: one wins, both use it."""
    dialect = {"sqlite": sqlite, "postgresql": postgresql}[connection.dialect.name]
    values = {"id": stream_id, "county_id": county_id, "seq": 0, "hash": GENESIS}
    connection.execute(dialect.insert(Stream.__table__).values(values).on_conflict_do_nothing())


def _journal(unit: UnitOfWork) -> _Journal:
    if unit.journal is None:
        unit.journal = _Journal(unit)
    return unit.journal


def mark_removed(unit: UnitOfWork, stream_id: str, name: str) -> None:
    """Note a guarded row that was deleted by a statement rather than through the session; `name` as `row_name` gives it."""
    _journal(unit).touched[stream_id][name] = None


@functools.cache
def _columns(model: type) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """(table, names of its columns, names of its key)."""
    table = model.__table__
    return table.name, tuple(column.name for column in table.c), tuple(column.name for column in table.primary_key)


def _plain(value):
    if isinstance(value, datetime):
        return instant_text(value.astimezone(UTC))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


_AS_IT_IS = frozenset({str, int, bool, float, dict, list, type(None)})
