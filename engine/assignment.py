"""Who may see and take a task, and who should be asked first. Pure: no database, no clock.

Default deny: a task without groups, workforce and users is nobody's. Everything an offer names must hold at once: the person is
not excluded, their unit covers the place, their workforce type is one of the asked ones, and they are in one of the groups or
named in person. So a volunteer or part-timer never sees what only a full-time worker may do, whatever groups they are in.
A lead may stand in for a partner.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from engine.organisation import covers

# 个案量上限 / caseload caps, 站内默认 station default: cases a person can look after well. Others count like part-timers.
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
    "named": ("已点名", "named in person"),
    "knows_case": ("了解该个案", "knows the case"),
    "same_unit": ("就在当地", "works at the place"),
    "near": ("同一站点", "same station"),
    "load": ("在办 {open}/{capacity}", "{open} of {capacity} open"),
    "full": ("个案量已满", "caseload is full"),
    "stand_in": ("站长代联动伙伴", "lead standing in for a partner"),
}


@dataclass(frozen=True)
class Offer:
    """Whom a task is offered to. `groups`: candidate groups, any of them; `workforce`: workforce types, any of them; empty sets
    ask nothing. `users`: persons (ids or usernames) named besides the groups. `excluded`: person ids who may never take it."""

    groups: frozenset[str] = frozenset()
    workforce: frozenset[str] = frozenset()
    place_path: str = ""
    users: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Candidate:
    """A person to be ranked. `groups` and `unit_path` as in engine.organisation.Actor; `open_cases`: their cases now;
    `knows_case`: they did earlier tasks of this case; `capacity`: their own cap, else by workforce type.
    `reasons`: filled in by `rank`, as (code, Chinese, English)."""

    person_id: str
    groups: frozenset[str]
    unit_path: str
    open_cases: int = 0
    knows_case: bool = False
    username: str = ""
    capacity: int | None = None
    reasons: tuple[tuple[str, str, str], ...] = field(default=(), compare=False)


def refusal(
    actor_groups: Iterable[str], actor_unit_path: str, offer: Offer, person_id: str | None = None, username: str | None = None
) -> str | None:
    """Why this person may not take the task (a key of REFUSALS), or None if they may.

    Without `person_id` nobody is named or excluded; whoever offers tasks with exclusions passes it.
    """
    groups = frozenset(actor_groups)
    if not (offer.groups or offer.workforce or offer.users):
        return "nobody"
    if person_id is not None and person_id in offer.excluded:
        return "excluded"
    if not offer.place_path or not actor_unit_path or not covers(actor_unit_path, offer.place_path):
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
    """Those who may take the task, best first: named, then who knows the case, then who has room, then who is nearest and has
    the lightest load; who only stands in for a partner comes last. Each carries its reasons. The order is total and stable."""
    able = [one for one in candidates if may_take(one.groups, one.unit_path, offer, one.person_id, one.username)]
    ranked = [(_order(one, offer), one) for one in able]
    ranked.sort(key=lambda pair: pair[0])
    return [_explained(one, offer) for _, one in ranked]


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
    """Levels between their unit and the place: 0 at the place itself, more the further up they sit."""
    return offer.place_path.count("/") - one.unit_path.count("/")


def _order(one: Candidate, offer: Offer) -> tuple:
    capacity = _capacity(one)
    return (
        not offer.users & {one.person_id, one.username},
        _stands_in(one, offer),
        not one.knows_case,
        one.open_cases >= capacity,
        _distance(one, offer),
        Fraction(one.open_cases, capacity),
        one.person_id,
    )


def _explained(one: Candidate, offer: Offer) -> Candidate:
    capacity, distance = _capacity(one), _distance(one, offer)
    codes = [
        ("named", bool(offer.users & {one.person_id, one.username})),
        ("stand_in", _stands_in(one, offer)),
        ("knows_case", one.knows_case),
        ("same_unit", distance == 0),
        ("near", distance == 1),
        ("load", True),
        ("full", one.open_cases >= capacity),
    ]
    reasons = tuple(
        (code, *(text.format(open=one.open_cases, capacity=capacity) for text in REASONS[code])) for code, holds in codes if holds
    )
    return Candidate(
        one.person_id,
        one.groups,
        one.unit_path,
        one.open_cases,
        one.knows_case,
        one.username,
        one.capacity,
        reasons,
    )
