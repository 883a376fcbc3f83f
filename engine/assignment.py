"""Who may see and take a task, and who should be asked first. Pure: no database, no clock.

Default deny: a task without groups, workforce and users is nobody's. Everything an offer names must hold at once: the person is
not excluded, their unit covers the place, their workforce type is one of the asked ones, and they are in one of the groups or
named in person. So a volunteer or part-timer never sees what only a full-time worker may do, whatever groups they are in.
A lead may stand in for a partner.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from fractions import Fraction

from engine.organisation import covers

# 个案量上限 / caseload caps, 站内默认 station default: cases a person can look after well, unless the parameter caseload_<type> says
# otherwise. Others count like part-timers.
CAPACITY = {"full_time": 25, "part_time": 10}

# Why somebody may not: about whoever it is, the asking person or one to whom a task should be handed.
REFUSALS = {
    "nobody": ("这项任务没有指定办理人", "the task names nobody who may take it"),
    "excluded": ("参与了前面的环节，按规定须回避", "whoever took part in an earlier step must stand aside"),
    "place": ("这项任务不在服务区域内", "the task lies outside the area served"),
    "workforce": ("这项任务须由{workforce}办理", "the task is for {workforce} only"),
    "group": ("不在这项任务的候选人员中", "not among the candidates of the task"),
}
REASONS = {
    "absent": ("请假或外出，{back}回来", "away, back on {back}"),
    "named": ("已点名", "named in person"),
    "stand_in": ("站长代联动伙伴", "lead standing in for a partner"),
    "skilled": ("具备所需技能", "has the skills asked for"),
    "unskilled": ("缺所需技能：{missing}", "lacks skills: {missing}"),
    "knows_case": ("了解该个案", "knows the case"),
    "knows_client": ("曾为这位对象服务", "has served this person before"),
    "same_unit": ("就在当地", "works at the place"),
    "near": ("同一站点", "same station"),
    "elsewhere": ("来自其他站点", "from another station"),
    "load": ("在办 {open}/{capacity}", "{open} of {capacity} open"),
    "full": ("个案量已满", "caseload is full"),
    "recent": ("近 30 天接了 {recent} 项", "given {recent} in 30 days"),
}
# What tasks may ask for, and people may have; 站内默认 station default.
SKILLS = {
    "minors": ("未成年人服务", "minors"),
    "elderly": ("老年服务", "older people"),
    "mediation": ("调解", "mediation"),
    "psychology": ("心理", "psychology"),
    "care": ("护理", "care"),
    "law": ("法律", "law"),
    "organising": ("活动组织", "organising"),
    "rescue": ("救援", "rescue"),
}
# What ranking goes by, and which reasons speak of it; the others concern the person as a whole.
CRITERIA = {
    "place": ("same_unit", "near", "elsewhere"),
    "load": ("load", "full"),
    "skills": ("skilled", "unskilled"),
    "continuity": ("knows_case", "knows_client"),
    "fairness": ("recent",),
}
FIRST = "first"  # of the property `offer`: to one after the other, in the order of the ranking
DAY = timedelta(days=1)
BANDS = 10  # loads that differ by less than a tenth of the capacity count as alike, so that fairness decides between them


@dataclass(frozen=True)
class Offer:
    """Whom a task is offered to. `groups`: candidate groups, any of them; `workforce`: workforce types, any of them; empty sets
    ask nothing. `users`: persons (ids or usernames) named besides the groups. `excluded`: person ids who may never take it.
    `dispatched`: usernames of those sent from elsewhere, for whom the place does not count. `skills`: keys of SKILLS that it asks for; they rank,
    they do not exclude."""

    groups: frozenset[str] = frozenset()
    workforce: frozenset[str] = frozenset()
    place_path: str = ""
    users: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()
    dispatched: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Candidate:
    """A person to be ranked. `groups` and `unit_path` as in engine.organisation.Actor; `open_cases`: their cases now;
    `knows_case`: they did earlier tasks of this case; `capacity`: their own cap, else by workforce type. `knows_client`: they were in
    earlier cases of this person; `skills`: keys of SKILLS; `recent`: tasks they were given in the last 30 days, `last_given` when the
    latest; `absent_until`: the last day they are away, None if they are not.
    Filled in by `rank`: `reasons` as (code, Chinese, English); `fit`: criterion (CRITERIA) → how well they fit by it, from 0 to 1."""

    person_id: str
    groups: frozenset[str]
    unit_path: str
    open_cases: int = 0
    knows_case: bool = False
    username: str = ""
    capacity: int | None = None
    knows_client: bool = False
    skills: frozenset[str] = frozenset()
    recent: int = 0
    last_given: datetime | None = None
    absent_until: date | None = None
    reasons: tuple[tuple[str, str, str], ...] = field(default=(), compare=False)
    fit: Mapping[str, Fraction] = field(default_factory=dict, compare=False)


def refusal(
    actor_groups: Iterable[str], actor_unit_path: str, offer: Offer, person_id: str | None = None, username: str | None = None
) -> str | None:
    """Why this person may not take the task (a key of REFUSALS), or None if they may.

    Without `person_id` nobody is named or excluded; whoever offers tasks with exclusions passes it.
    """
    groups = frozenset(actor_groups)
    sent = bool(offer.dispatched & {person_id, username} - {None})
    if not (offer.groups or offer.workforce or offer.users):
        return "nobody"
    if person_id is not None and person_id in offer.excluded:
        return "excluded"
    if not offer.place_path or not actor_unit_path or not (sent or covers(actor_unit_path, offer.place_path)):
        return "place"
    if offer.workforce and not _among(groups, offer.workforce):
        return "workforce"
    if not offer.users & {person_id, username} and (offer.groups or offer.users) and not _among(groups, offer.groups):
        return "group"
    return None


def may_take(
    actor_groups: Iterable[str], actor_unit_path: str, offer: Offer, person_id: str | None = None, username: str | None = None
) -> bool:
    """Whether this person may see and claim the task."""
    return refusal(actor_groups, actor_unit_path, offer, person_id, username) is None


def rank(candidates: Iterable[Candidate], offer: Offer) -> list[Candidate]:
    """Those who may take the task, best first, each with its reasons. One criterion after the other, the first difference decides:

    present, named, no stand-in for a partner, skills, knows the case, has room, knows the client, near, load (in tenths of the capacity),
    fairness (tasks given in the last 30 days, measured by what colleagues of the same kind were given), longest without a new task, load.
    The order is total and stable.
    """
    able = [one for one in candidates if may_take(one.groups, one.unit_path, offer, one.person_id, one.username)]
    usual = _usual(able)
    able.sort(key=lambda one: _order(one, offer, usual))
    return [replace(one, reasons=_reasons(one, offer), fit=_fit(one, offer, usual)) for one in able]


def _among(groups: frozenset[str], wanted: frozenset[str]) -> bool:
    return bool(groups & wanted) or ("lead" in groups and any(_is_partner(group) for group in wanted))


def _is_partner(group: str) -> bool:
    return group == "partner" or group.startswith("partner:")


def _stands_in(one: Candidate, offer: Offer) -> bool:
    """Whether they pass only because a lead may stand in for a partner."""
    asked = offer.groups | offer.workforce
    return "lead" in one.groups and bool(asked) and all(_is_partner(group) for group in asked)


def _capacity(one: Candidate) -> int:
    if one.capacity is not None:
        return max(one.capacity, 1)
    return max((CAPACITY[group] for group in one.groups if group in CAPACITY), default=CAPACITY["part_time"])


def _distance(one: Candidate, offer: Offer) -> int:
    """Steps through the tree of units between theirs and the place: 0 at the place itself, more the further up or away they sit."""
    theirs, place = one.unit_path.split("/"), offer.place_path.split("/")
    common = next((at for at, (a, b) in enumerate(zip(theirs, place, strict=False)) if a != b), min(len(theirs), len(place)))
    return len(theirs) + len(place) - 2 * common


def _kind(one: Candidate) -> str:
    """Whom somebody is compared with: their workforce type, else no type at all."""
    return next((kind for kind in ("full_time", "part_time", "assistant", "volunteer", "partner") if kind in one.groups), "")


def _usual(candidates: list[Candidate]) -> Mapping[str, Fraction]:
    """Kind → how many tasks each of that kind was given of late, on average."""
    people = Counter(_kind(one) for one in candidates)
    given = Counter()
    for one in candidates:
        given[_kind(one)] += one.recent
    return {kind: Fraction(given[kind], number) for kind, number in people.items()}


def _share(one: Candidate, usual: Mapping[str, Fraction]) -> Fraction:
    """Tasks given of late by the measure of their kind: 1 is as many as the others."""
    return one.recent / usual[_kind(one)] if usual[_kind(one)] else Fraction(0)


def _order(one: Candidate, offer: Offer, usual: Mapping[str, Fraction]) -> tuple:
    capacity = _capacity(one)
    return (
        one.absent_until is not None,
        not offer.users & {one.person_id, one.username},
        _stands_in(one, offer),
        len(offer.skills - one.skills),
        not one.knows_case,
        one.open_cases >= capacity,
        not one.knows_client,
        _distance(one, offer),
        one.open_cases * BANDS // capacity,
        _share(one, usual),
        one.last_given is not None,
        one.last_given.timestamp() if one.last_given else 0.0,
        Fraction(one.open_cases, capacity),
        one.person_id,
    )


def _fit(one: Candidate, offer: Offer, usual: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """CRITERIA → how well somebody fits by it, from 0 to 1, to be looked at; the order is decided by `_order`, not by a sum of these."""
    return {
        "place": Fraction(1, 1 + _distance(one, offer)),
        "load": max(1 - Fraction(one.open_cases, _capacity(one)), Fraction(0)),
        "skills": Fraction(len(offer.skills & one.skills), len(offer.skills)) if offer.skills else Fraction(1),
        "continuity": Fraction(2 if one.knows_case else 1 if one.knows_client else 0, 2),
        "fairness": 1 / (1 + _share(one, usual)),  # a half for who was given as many as the others
    }


def _back(absent_until: date | None) -> str:
    """The day after an absence; of one without an end nobody knows it."""
    return "?" if absent_until in (None, date.max) else (absent_until + DAY).isoformat()


def _reasons(one: Candidate, offer: Offer) -> tuple[tuple[str, str, str], ...]:
    capacity, distance, missing = _capacity(one), _distance(one, offer), sorted(offer.skills - one.skills)
    holds = {
        "absent": one.absent_until is not None,
        "named": bool(offer.users & {one.person_id, one.username}),
        "stand_in": _stands_in(one, offer),
        "skilled": bool(offer.skills) and not missing,
        "unskilled": bool(missing),
        "knows_case": one.knows_case,
        "knows_client": one.knows_client,
        "same_unit": distance == 0,
        "near": distance == 1,
        "elsewhere": not covers(one.unit_path, offer.place_path),
        "load": True,
        "full": one.open_cases >= capacity,
        "recent": one.recent > 0,
    }
    values = {"open": one.open_cases, "capacity": capacity, "recent": one.recent, "back": _back(one.absent_until)}
    lacking = [[SKILLS.get(skill, (skill, skill))[language] for skill in missing] for language in (0, 1)]
    return tuple(
        (code, *(text.format(**values, missing=joint.join(words)) for text, joint, words in zip(REASONS[code], ("、", ", "), lacking, strict=True)))
        for code in REASONS
        if holds[code]
    )
