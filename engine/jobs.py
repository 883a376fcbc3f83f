"""Jobs: work of a case that a program does. Few types the engine does itself, in the case's own transaction; all others wait here.

A program fetches jobs of a type for a while (a lease) and says what came of them. A lease that runs out gives the job back.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Index, String, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.db import Base, Id, Instant, reference
from engine.exceptions import InvalidRequest, NotFound
from engine.instances import Instance, new_number, stream_of
from engine.organisation import Actor, lies_in
from engine.workflow import JobCall

LONGEST_LEASE = timedelta(days=1)
MOST = 100  # jobs fetched at once
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)


class Job(Base):
    """A job that waits or is leased. `sealed_error`: what its last program reported, under the case's key."""

    __tablename__ = "job"
    __table_args__ = (Index("job_by_type", "county_id", "type", "next_at"),)
    instance_id: Mapped[str] = mapped_column(reference("instance.id"), primary_key=True)
    token: Mapped[int] = mapped_column(primary_key=True)
    element: Mapped[str] = mapped_column(String(100))
    type: Mapped[str] = mapped_column(String(200))
    retries: Mapped[int]
    next_at: Mapped[datetime] = mapped_column(Instant)
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    worker: Mapped[str | None] = mapped_column(String(100))
    leased_by: Mapped[str | None] = mapped_column(Id)
    attempts: Mapped[int]
    sealed_error: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(Instant)

    def __stream__(self) -> str:
        return stream_of(self.instance_id)

    @property
    def id(self) -> str:
        """What programs call it."""
        return f"{self.instance_id}-{self.token}"


def error_place(instance_id: str, token: int) -> str:
    """Where a job's last error is sealed."""
    return f"job:{instance_id}-{token}:sealed_error"


def parts_of(job_id: str) -> tuple[str, int]:
    """(instance id, token) of a job's id. Raises NotFound."""
    instance_id, _, token = job_id.partition("-")
    if len(instance_id) != 32 or not token.isascii() or not token.isdecimal() or len(token) > 9:
        raise NotFound(what="作业", key=job_id)
    return instance_id, int(token)


def pause_after(attempts: int) -> timedelta:
    """How long a job rests after so many failures, where its program does not say."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(max(attempts - 1, 0), 10))


def offered(session: Session, actor: Actor, kind: str, now: datetime, limit: int) -> list[tuple[str, int]]:
    """(instance id, token) of jobs of a type that nobody has, the oldest first, at places that the actor's unit covers."""
    inside = lies_in(Instance.place_path, actor.unit_path)
    query = (
        select(Job.instance_id, Job.token)
        .join(Instance, Instance.id == Job.instance_id)
        .where(Job.county_id == actor.county_id, Job.type == kind, is_free(now), inside)
        .order_by(Job.next_at, Job.instance_id, Job.token)
        .limit(limit)
    )
    return [tuple(row) for row in session.execute(query)]


def is_free(now: datetime):
    """SQL condition: due, and leased to nobody or no more."""
    return (Job.next_at <= now) & or_(Job.lease_until.is_(None), Job.lease_until <= now)


# --- what the engine does itself ---------------------------------------------------------------------------------------------


def reference_number(job: JobCall) -> Mapping[str, str]:
    """A number for a document, to be read out on the telephone: `JZ20261124-7KQ2MP`.

    Headers: `prefix` (letters before it), `variable` (where it goes; default `referenceNumber`).
    """
    prefix, variable = job.headers.get("prefix", ""), job.headers.get("variable", "referenceNumber")
    if len(prefix) > 20 or not variable.isidentifier():
        raise InvalidRequest(field="prefix, variable", reason="编号前缀最多 20 个字符，变量名只能用字母、数字和下划线")
    return {variable: f"{prefix}{new_number(job.now)}"}


HANDLERS = {"shuibo:reference-number": reference_number}
