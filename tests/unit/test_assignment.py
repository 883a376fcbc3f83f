"""Who may take a task: default deny, workforce, groups, place, exclusion, a lead for a partner; and who is asked first."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from engine.assignment import REASONS, REFUSALS, SKILLS, Candidate, Offer, may_take, rank, refusal

STATION = "county/station-01"
ROOM = "county/station-01/room-001"


def groups(*names):
    return frozenset(names)


FULL = groups("worker", "full_time")
PART = groups("worker", "part_time")
VOLUNTEER = groups("worker", "volunteer")
ASSISTANT = groups("worker", "assistant")
LEAD = groups("lead", "full_time")
CHILD = groups("worker", "partner", "partner:child")


@pytest.mark.parametrize(
    ("who", "unit", "offer", "why"),
    [
        (FULL, STATION, Offer(place_path=ROOM), "nobody"),
        (FULL, STATION, Offer(workforce=groups("full_time"), place_path=ROOM), None),
        (FULL, STATION, Offer(workforce=groups("full_time"), place_path=STATION), None),
        (FULL, "county", Offer(workforce=groups("full_time"), place_path=ROOM), None),
        (FULL, "county/station-02", Offer(workforce=groups("full_time"), place_path=ROOM), "place"),
        (FULL, "county/station-0", Offer(workforce=groups("full_time"), place_path=ROOM), "place"),
        (ASSISTANT, ROOM, Offer(workforce=groups("assistant"), place_path=ROOM), None),
        (ASSISTANT, ROOM, Offer(workforce=groups("assistant"), place_path=STATION), "place"),
        (FULL, STATION, Offer(workforce=groups("full_time")), "place"),
        (FULL, "", Offer(workforce=groups("full_time"), place_path=ROOM), "place"),
        # Only a full-time worker may do it: no group lets a part-timer or a volunteer in.
        (PART, STATION, Offer(groups("worker"), groups("full_time"), ROOM), "workforce"),
        (VOLUNTEER, STATION, Offer(groups("worker", "volunteer"), groups("full_time"), ROOM), "workforce"),
        (VOLUNTEER, STATION, Offer(groups("worker"), groups("full_time"), ROOM, groups("p1")), "workforce"),
        (FULL, STATION, Offer(groups("worker"), groups("full_time", "part_time"), ROOM), None),
        (FULL, STATION, Offer(groups("supervisor"), groups("full_time"), ROOM), "group"),
        (groups("supervisor"), "county", Offer(groups("supervisor"), place_path=ROOM), None),
        (groups("auditor"), "county", Offer(groups("worker"), place_path=ROOM), "group"),
        # Named in person: without groups only they, with groups they besides.
        (FULL, STATION, Offer(users=groups("p1"), place_path=ROOM), None),
        (FULL, STATION, Offer(users=groups("ft-01-1"), place_path=ROOM), None),
        (FULL, STATION, Offer(users=groups("p2"), place_path=ROOM), "group"),
        (FULL, STATION, Offer(groups("supervisor"), place_path=ROOM, users=groups("p1")), None),
        # Excluded comes before everything that would let them in.
        (FULL, STATION, Offer(groups("worker"), place_path=ROOM, users=groups("p1"), excluded=groups("p1")), "excluded"),
        # Partners, and a lead for a partner.
        (CHILD, STATION, Offer(groups("partner:child"), place_path=ROOM), None),
        (CHILD, STATION, Offer(groups("partner:petition"), place_path=ROOM), "group"),
        (CHILD, STATION, Offer(workforce=groups("partner"), place_path=ROOM), None),
        (LEAD, STATION, Offer(groups("partner:petition"), groups("partner"), ROOM), None),
        (LEAD, "county/station-02", Offer(groups("partner:petition"), place_path=ROOM), "place"),
        (FULL, STATION, Offer(groups("partner:petition"), place_path=ROOM), "group"),
        (LEAD, STATION, Offer(groups("volunteer"), place_path=ROOM), "group"),
        # Sent from elsewhere: place and no more is forgiven.
        (FULL, "county/station-02", Offer(groups("full_time"), place_path=ROOM, dispatched=groups("ft-01-1")), None),
        (FULL, "county/station-02", Offer(groups("full_time"), place_path=ROOM, dispatched=groups("p2")), "place"),
        (PART, "county/station-02", Offer(workforce=groups("full_time"), place_path=ROOM, dispatched=groups("p1")), "workforce"),
        (PART, "county/station-02", Offer(groups("full_time"), place_path=ROOM, dispatched=groups("p1")), "group"),
        (FULL, "county/station-02", Offer(groups("full_time"), place_path=ROOM, dispatched=groups("p1"), excluded=groups("p1")), "excluded"),
    ],
)
def test_refusal(who, unit, offer, why):
    assert refusal(who, unit, offer, "p1", "ft-01-1") == why
    assert may_take(who, unit, offer, "p1", "ft-01-1") is (why is None)


names = st.sampled_from(["worker", "lead", "supervisor", "full_time", "part_time", "volunteer", "partner", "partner:child"])
sets = st.frozensets(names, max_size=4)
paths = st.sampled_from(["", "county", STATION, ROOM, "county/station-02", "county/station-02/room-040"])
people = st.sampled_from(["p1", "p2", "p3"])
offers = st.builds(Offer, sets, sets, paths, st.frozensets(people, max_size=2), st.frozensets(people, max_size=2))


@given(sets, paths, offers, people)
def test_every_condition_must_hold(who, unit, offer, person):
    """The definition once more, written the other way round."""
    lead_for_partner = {"partner", "partner:child"} if "lead" in who else set()
    in_workforce = not offer.workforce or offer.workforce & (who | lead_for_partner)
    in_group = offer.groups & (who | lead_for_partner)
    named = person in offer.users
    at_place = bool(unit) and (offer.place_path + "/").startswith(unit + "/")
    chosen = named or in_group or (not offer.groups and not offer.users and offer.workforce)
    expected = bool(person not in offer.excluded and at_place and in_workforce and chosen)
    assert may_take(who, unit, offer, person) is expected


@given(offers, people)
def test_who_is_nothing_takes_nothing_unless_named(offer, person):
    if person not in offer.users:
        assert not may_take(frozenset(), "county", offer, person)


@given(sets, paths, offers, people, names)
def test_asking_for_more_never_lets_more_in(who, unit, offer, person, name):
    stricter = Offer(offer.groups, offer.workforce, offer.place_path, offer.users, offer.excluded | {person})
    assert not may_take(who, unit, stricter, person)
    if offer.workforce and not may_take(who, unit, offer, person):
        fewer = frozenset(sorted(offer.workforce)[:1])
        assert not may_take(who, unit, Offer(offer.groups, fewer, offer.place_path, offer.users, offer.excluded), person)


def test_refusals_are_explained_in_both_languages():
    assert all(zh and en for zh, en in REFUSALS.values())


# --- rank ------------------------------------------------------------------------------------------------------------------

OFFER = Offer(groups("full_time", "part_time"), groups("full_time", "part_time"), ROOM)


def order(*candidates, offer=OFFER):
    return [one.person_id for one in rank(candidates, offer)]


def test_only_who_may_take_it_is_ranked():
    assert order(Candidate("a", VOLUNTEER, STATION), Candidate("b", FULL, "county/station-02")) == []


def test_who_knows_the_case_comes_first_even_when_busier():
    assert order(Candidate("a", FULL, STATION, 3), Candidate("b", FULL, STATION, 20, knows_case=True)) == ["b", "a"]


def test_load_is_measured_against_capacity():
    """6 of 25 is less than 4 of 10."""
    assert order(Candidate("part", PART, STATION, 4), Candidate("full", FULL, STATION, 6)) == ["full", "part"]


def test_who_is_full_comes_after_who_has_room_however_near():
    assert order(Candidate("a", FULL, ROOM, 25), Candidate("b", FULL, STATION, 24)) == ["b", "a"]


def test_the_nearest_comes_first():
    assert order(Candidate("a", FULL, "county"), Candidate("b", FULL, STATION), Candidate("c", FULL, ROOM)) == ["c", "b", "a"]


def test_named_comes_first_and_a_stand_in_last():
    offer = Offer(groups("partner:child"), place_path=ROOM, users=groups("b"))
    assert order(Candidate("lead", LEAD, ROOM), Candidate("a", CHILD, STATION, 9), Candidate("b", FULL, STATION), offer=offer) == [
        "b",
        "a",
        "lead",
    ]


def test_reasons_say_why():
    (one,) = rank([Candidate("a", FULL, STATION, 25, knows_case=True)], OFFER)
    assert [code for code, _, _ in one.reasons] == ["knows_case", "near", "load", "full"]
    assert ("load", "在办 25/25", "25 of 25 open") in one.reasons


def test_every_reason_can_be_given_and_is_told_in_both_languages():
    offer = replace(OFFER, users=groups("a"), skills=groups("minors", "law"), dispatched=groups("c"))
    busy = Candidate("a", FULL, ROOM, 25, True, knows_client=True, skills=offer.skills, recent=3, absent_until=date(2026, 3, 5))
    near, far = Candidate("b", PART, STATION), Candidate("c", FULL, "county/station-02")
    stand_in = Candidate("d", LEAD, STATION)
    partner = Offer(groups("partner:child"), place_path=ROOM)
    told = [each for one in [*rank([busy, near, far], offer), *rank([stand_in], partner)] for each in one.reasons]
    assert {code for code, _, _ in told} == set(REASONS)
    assert ("absent", "请假或外出，2026-03-06回来", "away, back on 2026-03-06") in told
    assert ("unskilled", "缺所需技能：法律、未成年人服务", "lacks skills: law, minors") in told


def test_skills_go_before_knowing_the_case_and_absence_behind_everything():
    offer = replace(OFFER, skills=groups("minors"))
    skilled, knows = Candidate("s", FULL, STATION, skills=groups("minors")), Candidate("k", FULL, ROOM, knows_case=True)
    away = Candidate("a", FULL, ROOM, knows_case=True, skills=groups("minors"), absent_until=date(2026, 3, 5))
    assert order(away, knows, skilled, offer=offer) == ["s", "k", "a"]


def test_who_was_given_less_than_colleagues_of_their_kind_comes_first():
    """Half of what full-time workers get is fairer measured than a part-timer's usual share, though it is more."""
    people = [Candidate("f1", FULL, STATION, recent=4), Candidate("f2", FULL, STATION, recent=12), Candidate("p1", PART, STATION, recent=3)]
    assert order(*people) == ["f1", "p1", "f2"]


def test_on_equal_terms_whoever_waited_longest_is_next_and_who_never_had_one_first():
    day = datetime(2026, 3, 2, tzinfo=UTC)
    people = [Candidate("a", FULL, STATION, last_given=day), Candidate("b", FULL, STATION, last_given=day - timedelta(days=1))]
    assert order(*people, Candidate("c", FULL, STATION)) == ["c", "b", "a"]


days = st.datetimes(datetime(2026, 1, 1), datetime(2026, 3, 1), timezones=st.just(UTC))
skill_sets = st.frozensets(st.sampled_from(sorted(SKILLS)), max_size=3)
one_candidate = st.builds(
    Candidate,
    st.uuids().map(str),
    sets,
    paths,
    st.integers(0, 40),
    st.booleans(),
    st.just(""),
    st.none() | st.integers(1, 30),
    st.booleans(),
    skill_sets,
    st.integers(0, 9),
    st.none() | days,
    st.none() | st.just(date(2026, 3, 9)),
)
candidates = st.lists(one_candidate, max_size=8, unique_by=lambda c: c.person_id)
wishes = st.builds(lambda offer, skills: replace(offer, skills=skills), offers, skill_sets)


@given(candidates, wishes, st.randoms())
def test_the_order_does_not_depend_on_the_order_asked(candidates, offer, random):
    shuffled = list(candidates)
    random.shuffle(shuffled)
    assert rank(candidates, offer) == rank(shuffled, offer)


@given(candidates, wishes)
def test_never_ranks_who_may_not_take_it_and_leaves_nobody_out(candidates, offer):
    ranked = {one.person_id for one in rank(candidates, offer)}
    assert ranked == {one.person_id for one in candidates if may_take(one.groups, one.unit_path, offer, one.person_id, one.username)}


# What makes somebody a better choice than before, each by itself.
BETTER = {
    "open_cases": lambda one, offer: replace(one, open_cases=max(0, one.open_cases - 5)),
    "capacity": lambda one, offer: replace(one, capacity=(one.capacity or 25) + 5),
    "knows_case": lambda one, offer: replace(one, knows_case=True),
    "knows_client": lambda one, offer: replace(one, knows_client=True),
    "skills": lambda one, offer: replace(one, skills=one.skills | offer.skills),
    "place": lambda one, offer: replace(one, unit_path=offer.place_path),
    "fairness": lambda one, offer: replace(one, recent=max(0, one.recent - 2)),
    "waited": lambda one, offer: replace(one, last_given=one.last_given and one.last_given - timedelta(days=40)),
    "present": lambda one, offer: replace(one, absent_until=None),
}
capable = st.lists(
    one_candidate.map(lambda one: replace(one, groups=one.groups | {"full_time"}, unit_path=STATION)),
    min_size=2,
    max_size=6,
    unique_by=lambda c: c.person_id,
)


@pytest.mark.parametrize("criterion", BETTER)
@given(capable, skill_sets, st.data())
def test_what_speaks_for_somebody_never_puts_them_further_back(criterion, candidates, skills, data):
    offer = replace(OFFER, skills=skills)
    chosen = data.draw(st.sampled_from(candidates))
    bettered = [BETTER[criterion](one, offer) if one is chosen else one for one in candidates]
    assert order(*bettered, offer=offer).index(chosen.person_id) <= order(*candidates, offer=offer).index(chosen.person_id)
