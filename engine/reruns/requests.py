"""A rerun that somebody asked for: what of, how it stands, and what it found so far. Its start and end are events; its progress is none."""

from datetime import datetime

from sqlalchemy import Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine import definitions
from engine.db import Base, Id, Instant, Json, reference
from engine.decisions import Decision, compile_decisions
from engine.decisions.difference import Difference, difference
from engine.definitions import Definition, Version
from engine.exceptions import NotFound
from engine.reruns.checks import CheckRerun
from engine.reruns.evaluations import EvaluationRerun
from engine.reruns.outcome import Outcome, Rerun
from engine.system import System

RUNNING, DONE, CANCELLED, FAILED = "running", "done", "cancelled", "failed"


class RerunRequest(Base):
    """One rerun of a version. `decision`: the table of it; `against_id`: the version it is compared with, the one in force when it was asked
    for, none where there was none. `since` (included) and `until` (not) are moments. `outcome`: as Outcome.as_dict has it, no personal
    data; `error`: the code of what made it fail."""

    __tablename__ = "rerun"
    __table_args__ = (Index("rerun_by_version", "version_id", "id"), Index("rerun_by_status", "county_id", "status"))
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    version_id: Mapped[str] = mapped_column(reference("definition_version.id"))
    against_id: Mapped[str | None] = mapped_column(Id)
    decision: Mapped[str] = mapped_column(String(200))
    since: Mapped[datetime | None] = mapped_column(Instant)
    until: Mapped[datetime] = mapped_column(Instant)
    status: Mapped[str] = mapped_column(String(12))
    outcome: Mapped[dict] = mapped_column(Json)
    error: Mapped[str | None] = mapped_column(String(60))
    requested_by: Mapped[str | None] = mapped_column(Id)
    requested_at: Mapped[datetime] = mapped_column(Instant)
    ended_by: Mapped[str | None] = mapped_column(Id)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}

    @property
    def stream(self) -> str:
        """Of its events."""
        return f"rerun/{self.id}"

    @property
    def found(self) -> Outcome:
        """What it found so far."""
        return Outcome.of(self.outcome)


def read(session: Session, county_id: str, rerun_id: str) -> RerunRequest:
    """Raises NotFound."""
    found = session.get(RerunRequest, rerun_id)
    if found is None or found.county_id != county_id:
        raise NotFound(what="重算", key=rerun_id)
    return found


def of_version(session: Session, version_id: str, limit: int = 10) -> list[RerunRequest]:
    """The latest reruns of a version, newest first."""
    query = select(RerunRequest).where(RerunRequest.version_id == version_id).order_by(RerunRequest.id.desc())
    return list(session.scalars(query.limit(limit)))


def oldest_running(session: Session, county_id: str) -> RerunRequest | None:
    """Whose turn it is."""
    query = select(RerunRequest).where(RerunRequest.county_id == county_id, RerunRequest.status == RUNNING)
    return session.scalar(query.order_by(RerunRequest.id).limit(1))


def tables_of(session: Session, version: Version) -> dict[str, Decision]:
    """The decision tables of a version that can be made again, by id: of a regulation the one, of a procedure all of its files."""
    if version.kind == "regulation":
        table = definitions.regulation(session, version.id, str(version.number)).decision
        return {table.id: table}
    return {ident: decision for ident, (_content, decision) in _files(session, version.id).items() if decision.hit_policy}


def in_force(session: Session, version: Version) -> Version | None:
    """The published version of the same definition."""
    definition = session.get(Definition, version.definition_id)
    return session.get(Version, definition.published_version_id) if definition.published_version_id else None


def difference_of(session: Session, version: Version, against: Version | None, decision: str) -> Difference:
    """What the version's table changes of the other's. Raises NotFound where the version has no such table."""
    changed = tables_of(session, version).get(decision)
    if changed is None:
        raise NotFound(what="决策", key=decision)
    return difference(tables_of(session, against).get(decision) if against else None, changed)


def resumed(system: System, session: Session, request: RerunRequest) -> Rerun:
    """The rerun where it stopped. Raises NotFound, DeployRefused."""
    version = session.get(Version, request.version_id)
    when = {"since": request.since, "until": request.until, "outcome": request.found}
    if version.kind == "procedure":
        content, decision = _files(session, version.id)[request.decision]
        return EvaluationRerun(system, content, decision, **when)
    against = request.against_id and session.get(Version, request.against_id)
    current = definitions.regulation(session, against.id, str(against.number)) if against else None
    return CheckRerun(system, definitions.regulation(session, version.id, str(version.number)), current, **when)


def _files(session: Session, version_id: str) -> dict[str, tuple[bytes, Decision]]:
    """Id of a decision → the file that holds it, and it."""
    files = [content for name, content in definitions.resources(session, version_id).items() if name.endswith(".dmn")]
    return {ident: (content, decision) for content in files for ident, decision in compile_decisions(content).decisions.items()}
