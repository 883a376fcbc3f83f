"""Procedures and regulation tables with their immutable versions, and the compiled form of a version that processes share."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine import audit
from engine.audit import Event, Kind
from engine.bundle import read_bundle
from engine.db import Base, Id, Instant, reference
from engine.decisions import Decision
from engine.exceptions import NotFound, NotPublished
from engine.forms import Form
from engine.regulations import Regulation, compile_regulation
from engine.system import System
from engine.workflow import Process

DRAFT, PUBLISHED, WITHDRAWN = "draft", "published", "withdrawn"


def stream_of(county_id: str, kind: str, key: str) -> str:
    """Regulations share one stream a county, so that one look tells whether any changed; each procedure has its own."""
    return audit.stream("regulations", county_id) if kind == "regulation" else audit.stream("definition", f"{county_id}/{key}")


class _Guarded:
    """What the three tables share: the stream that explains their rows."""

    def __stream__(self) -> str:
        return stream_of(self.county_id, self.kind, self.key)


class Definition(_Guarded, Base):
    """A procedure or a regulation table: `kind` procedure|regulation. `latest` counts its versions."""

    __tablename__ = "definition"
    __table_args__ = (UniqueConstraint("county_id", "key"),)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    key: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200))
    latest: Mapped[int]
    published_version_id: Mapped[str | None] = mapped_column(Id)


class Version(_Guarded, Base):
    """One immutable version; only its status and who published it change."""

    __tablename__ = "definition_version"
    __table_args__ = (UniqueConstraint("county_id", "key", "number"),)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    definition_id: Mapped[str] = mapped_column(reference("definition.id"))
    kind: Mapped[str] = mapped_column(String(12))
    key: Mapped[str] = mapped_column(String(100))
    number: Mapped[int]
    status: Mapped[str] = mapped_column(String(12))
    deployed_by: Mapped[str | None] = mapped_column(Id)
    deployed_at: Mapped[datetime] = mapped_column(Instant)
    published_by: Mapped[str | None] = mapped_column(Id)
    published_at: Mapped[datetime | None] = mapped_column(Instant)


class Resource(_Guarded, Base):
    """One file of a version: a diagram, a table or a form, byte for byte."""

    __tablename__ = "definition_resource"
    version_id: Mapped[str] = mapped_column(reference("definition_version.id"), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    key: Mapped[str] = mapped_column(String(100))
    content: Mapped[bytes]


@dataclass(frozen=True)
class Compiled:
    """A version ready to run; immutable, shared by threads."""

    version_id: str
    key: str
    number: int
    process: Process | None
    forms: Mapping[str, Form]
    decisions: Mapping[str, Decision]


def find(session: Session, county_id: str, key: str) -> Definition:
    """The definition with this key. Raises NotFound."""
    found = session.scalar(select(Definition).where(Definition.county_id == county_id, Definition.key == key))
    if found is None:
        raise NotFound(what="流程", key=key)
    return found


def version(session: Session, county_id: str, key: str, number: int) -> tuple[Definition, Version]:
    """One version and what it is a version of. Raises NotFound."""
    wanted = (Version.county_id == county_id, Version.key == key, Version.number == number)
    found = session.execute(select(Definition, Version).join(Version, Version.definition_id == Definition.id).where(*wanted)).one_or_none()
    if found is None:
        raise NotFound(what="流程版本", key=f"{key} / {number}")
    return found[0], found[1]


def published(system: System, session: Session, key: str) -> Compiled:
    """The version that new cases use. Raises NotFound or NotPublished."""
    definition = find(session, system.county_id, key)
    if definition.kind != "procedure" or definition.published_version_id is None:
        raise NotPublished(definition=key)
    return compiled(system, session, definition.published_version_id)


def known(system: System, version_id: str) -> Compiled | None:
    """A version that this process has compiled before."""
    return system.compiled.get(("version", version_id))


def compiled(system: System, session: Session, version_id: str) -> Compiled:
    """A version, compiled at most once in a process. Raises NotFound."""
    found = known(system, version_id)
    if found is None:
        version = session.get(Version, version_id)
        if version is None:
            raise NotFound(what="流程版本", key=version_id)
        bundle = read_bundle(resources(session, version_id))
        found = Compiled(version.id, version.key, version.number, bundle.process(version.key), bundle.forms, bundle.decisions)
        system.compiled["version", version_id] = found
    return found


def based_on(session: Session, version: Version) -> int | None:
    """The number of the published version that this one was made from, as the event of its deployment has it; 0 for none, None if unknown."""
    query = select(Event.facts).where(Event.stream == version.__stream__(), Event.kind == Kind.DEFINITION_DEPLOYED)
    told = (facts for facts in session.scalars(query) if (facts["key"], facts["number"]) == (version.key, version.number))
    return next(told, {}).get("based_on")


def resources(session: Session, version_id: str) -> dict[str, bytes]:
    """The files of a version by name."""
    rows = session.scalars(select(Resource).where(Resource.version_id == version_id).order_by(Resource.name))
    return {row.name: row.content for row in rows}


def diagram(session: Session, version_id: str) -> bytes:
    """The BPMN file of a version. Raises NotFound."""
    for name, content in resources(session, version_id).items():
        if name.endswith(".bpmn"):
            return content
    raise NotFound(what="流程图", key=version_id)


def versions(session: Session, county_id: str, kind: str | None = None) -> list[tuple[Definition, list[Version]]]:
    """Every definition of a county with its versions, newest first."""
    query = select(Definition).where(Definition.county_id == county_id).order_by(Definition.kind, Definition.key)
    if kind:
        query = query.where(Definition.kind == kind)
    by_definition: dict[str, list[Version]] = {}
    for version in session.scalars(
        select(Version).where(Version.county_id == county_id).order_by(Version.number.desc())
    ):
        by_definition.setdefault(version.definition_id, []).append(version)
    return [(definition, by_definition.get(definition.id, [])) for definition in session.scalars(query)]


def regulation(session: Session, version_id: str, number: str) -> Regulation:
    """A regulation's version, compiled; `number` is its name in verdicts. Raises NotFound."""
    for name, content in resources(session, version_id).items():
        if name.endswith(".dmn"):
            return compile_regulation(content, name, number)
    raise NotFound(what="制度表", key=version_id)


def regulations_in_force(session: Session, county_id: str) -> list[Regulation]:
    """Every published regulation table, compiled; its version in verdicts is the version's number."""
    query = (
        select(Resource, Version.number)
        .join(Version, Version.id == Resource.version_id)
        .join(Definition, Definition.published_version_id == Version.id)
        .where(Definition.county_id == county_id, Definition.kind == "regulation", Resource.name.endswith(".dmn"))
        .order_by(Version.key)
    )
    return [compile_regulation(row.content, row.name, str(number)) for row, number in session.execute(query)]
