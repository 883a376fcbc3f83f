"""A case's team as it changes: who joins by taking a task, who leads, and how heavy the case is for them (engine.team)."""

from typing import TYPE_CHECKING

from sqlalchemy import bindparam

from engine import team
from engine.db import Fetch
from engine.team import LEAD, MEMBER, CaseMember

if TYPE_CHECKING:
    from engine.commands.running import Run


def join(run: "Run", person_id: str, tags: list[str]) -> None:
    """Somebody takes a task with these tags of a restored case. Nothing happens if the ledger knows them in that role already."""
    role = LEAD if team.PLAN in tags else MEMBER
    known = team.team_of(run.ledger)
    if not team.joins(tags) or known.get(person_id) in (role, LEAD):
        return
    if "team" not in run.ledger:  # a case begun before there were teams
        run.ledger["team"] = known
        run.ledger["risk"] = run.case.variables().get("risk")
        for each, held in known.items():
            _add(run, each, held)
    if role == LEAD and (former := team.lead_of(run.ledger)):
        _change(run, former, MEMBER)
    if person_id in known:
        _change(run, person_id, role)
    else:
        _add(run, person_id, role)
    run.ledger["team"] = known | ({former: MEMBER} if role == LEAD and former else {}) | {person_id: role}
    run.keep_state()


def weigh(run: "Run") -> None:
    """Tell the members how heavy the case is, after its risk was assessed anew."""
    if not run.ledger.get("team"):
        return
    risk = run.case.variables().get("risk")
    if risk == run.ledger.get("risk"):
        return
    run.ledger["risk"] = risk
    for person_id in run.ledger["team"]:
        member = _row(run, person_id)
        member.sealed = _sealed(run, person_id)
        run.act.unit.write(member)


def _add(run: "Run", person_id: str, role: str) -> None:
    member = CaseMember.row(
        instance_id=run.instance.id,
        county_id=run.instance.county_id,
        person_id=person_id,
        role=role,
        since=run.act.now,
        until=None,
        sealed=_sealed(run, person_id),
    )
    run.members[person_id] = member
    run.act.unit.write(member)


def _change(run: "Run", person_id: str, role: str) -> None:
    member = _row(run, person_id)
    member.role, member.since = role, run.act.now
    run.act.unit.write(member)


def _row(run: "Run", person_id: str) -> CaseMember:
    """A member's row: the one this command has written, or the table's."""
    if person_id not in run.members:
        (run.members[person_id],) = _MEMBER(run.act.unit.connection, instance=run.instance.id, person=person_id)
    return run.members[person_id]


_MEMBER = Fetch(CaseMember, where=[CaseMember.instance_id == bindparam("instance"), CaseMember.person_id == bindparam("person")])


def _sealed(run: "Run", person_id: str) -> bytes:
    heavy = team.is_heavy(run.case.variables().get("risk"))
    return run.act.system.vault.seal(run.key, {"heavy": int(heavy)}, CaseMember.place(run.instance.id, person_id))
