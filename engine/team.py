"""Who works on a case. A member joins by taking their first task of it; who takes a task tagged `plan` leads it from then on.

Who only approves or is only reminded (a station's lead, in nearly every case of the station) is no member: those tasks say nothing of who
carries the case. The case's ledger remembers the team, so that whoever is in it already costs no statement; the rows answer how much
somebody carries (engine.workload) without opening their cases.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.db import Base, Instant, reference
from engine.instances import Instance, stream_of

LEAD, MEMBER = "lead", "member"
PLAN = "plan"  # the tag whose task makes a lead
BESIDE = frozenset({"approval", "reminder"})  # tags of tasks that make no member
HEAVY = frozenset({"high", "urgent"})  # values of the variable `risk` that count as high risk


class CaseMember(Base):
    """Somebody in the team of a case, `since` when in this role, `until` they left it.

    Sealed under the case's key: whether the case is heavy, since a risk is personal data of who is served. 1 and 0 are equally long, and
    it is sealed anew whenever the risk is assessed, so that neither the bytes nor their change tell the level.
    """

    __tablename__ = "case_member"
    __table_args__ = (Index("case_member_by_person", "person_id", "until"), {"sqlite_with_rowid": False})
    instance_id: Mapped[str] = mapped_column(reference("instance.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(reference("person.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(8))
    since: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime | None] = mapped_column(Instant)
    sealed: Mapped[bytes]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}

    def __stream__(self) -> str:
        return stream_of(self.instance_id)

    @staticmethod
    def place(instance_id: str, person_id: str) -> str:
        """Where the payload is sealed."""
        return f"case_member:{instance_id}/{person_id}:sealed"


def is_heavy(risk) -> bool:
    """Whether a case with this value of the variable `risk` counts as high risk."""
    return isinstance(risk, str) and risk in HEAVY


def joins(tags: Iterable[str]) -> bool:
    """Whether taking a task with these tags makes a member."""
    return BESIDE.isdisjoint(tags)


def team_of(ledger: dict) -> dict[str, str]:
    """Person id → LEAD or MEMBER, by a case's ledger. For cases begun before there were teams: who has done their tasks, and who
    planned last leads."""
    known = ledger.get("team")
    if known is not None:
        return known
    authors = {who: MEMBER for tag, people in ledger["authors"].items() if tag not in BESIDE for who in people}
    return authors | dict.fromkeys(ledger["authors"].get(PLAN, [])[-1:], LEAD)


def lead_of(ledger: dict) -> str | None:
    """The person id of a case's lead."""
    return next((who for who, role in team_of(ledger).items() if role == LEAD), None)


def serves(session: Session, person_id: str, client_id: str) -> bool:
    """Whether somebody is in the team of an open case of a client."""
    query = select(CaseMember.person_id).join(Instance, Instance.id == CaseMember.instance_id)
    query = query.where(CaseMember.person_id == person_id, CaseMember.until.is_(None), Instance.client_id == client_id, Instance.ended_at.is_(None))
    return session.scalar(query.limit(1)) is not None
