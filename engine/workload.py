"""How much people carry: their open cases, those they lead, those of high risk, and the tasks they hold. Two statements for any number."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.exceptions import Erased
from engine.instances import ACTIVE, CLAIMED, INCIDENT, Instance, Task
from engine.team import LEAD, CaseMember
from engine.vault import SubjectKey, Vault


@dataclass(frozen=True)
class Workload:
    """What somebody carries now. `open_cases`: in whose team they are; `open_tasks`: claimed by them and not done."""

    open_cases: int = 0
    led_cases: int = 0
    open_high_risk: int = 0
    open_tasks: int = 0


def of(session: Session, vault: Vault, person_ids: Iterable[str]) -> dict[str, Workload]:
    """Person id → what they carry; everybody who is asked for has an answer. Cases begun before there were teams count from the next
    task taken in them on."""
    asked = list(dict.fromkeys(person_ids))
    if not asked:
        return {}
    open_cases, led, heavy = dict.fromkeys(asked, 0), dict.fromkeys(asked, 0), dict.fromkeys(asked, 0)
    keys: dict[str, SubjectKey] = {}
    for instance_id, person_id, role, sealed, key_id, subject, wrapped in session.execute(_MEMBERS.where(CaseMember.person_id.in_(asked))):
        open_cases[person_id] += 1
        led[person_id] += role == LEAD
        key = keys.setdefault(key_id, SubjectKey.row(id=key_id, subject=subject, wrapped=wrapped))
        heavy[person_id] += _is_heavy(vault, key, sealed, CaseMember.place(instance_id, person_id))
    held = dict(session.execute(_TASKS.where(Task.holder_id.in_(asked))).all())
    return {who: Workload(open_cases[who], led[who], heavy[who], held.get(who, 0)) for who in asked}


_MEMBERS = (
    select(
        CaseMember.instance_id, CaseMember.person_id, CaseMember.role, CaseMember.sealed, SubjectKey.id, SubjectKey.subject, SubjectKey.wrapped
    )
    .join(Instance, Instance.id == CaseMember.instance_id)
    .join(SubjectKey, SubjectKey.id == Instance.key_id)
    .where(CaseMember.until.is_(None), Instance.status.in_((ACTIVE, INCIDENT)))
)
_TASKS = select(Task.holder_id, func.count()).where(Task.status == CLAIMED).group_by(Task.holder_id)


def _is_heavy(vault: Vault, key: SubjectKey, sealed: bytes, place: str) -> bool:
    try:
        return bool(vault.open(key, sealed, place)["heavy"])
    except Erased:  # whoever it was about asked to be forgotten
        return False
