"""Invented registers: everybody can do their work by the regulations, and some entries lapse soon, so that reminders are seen.

Days count from the seed's own. What lapses is renewed in time, as at a station that keeps its registers; the first people and stations, whom
every manual names, lack nothing.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import organisation, parameters
from engine.clients import Client
from engine.commands.definitions import set_parameter
from engine.commands.registers import fill
from engine.commands.seed import Progress, silent
from engine.organisation import Actor, Staff, Unit
from engine.registers.entries import RegisterEntry
from engine.system import System
from engine.vault import SubjectKey

MOST_PEOPLE = 10_000
WORKERS = ("full_time", "part_time")
VISITING = (*WORKERS, "assistant")
SPECIAL = ("minors", "elderly", "mediation", "mental_health")
SKILLS = ("minors", "elderly", "mediation", "psychology", "care", "law", "organising", "rescue")
COHORTS = {  # category of a client → cohort, risk
    "dementia": ("dementia", "high"),
    "extreme_poverty": ("special_elder", "medium"),
    "disabled_elder": ("special_elder", "high"),
    "left_behind": ("left_behind", "medium"),
    "orphan": ("orphan", "medium"),
    "veteran": ("veteran", "low"),
}
VISITED_WITHIN = {"high": 6, "medium": 25, "low": 80}  # days: within what the parameters ask for
Lines = Iterator[tuple[str, dict]]  # whom, values


@dataclass(frozen=True)
class County:
    """Whom entries are about. `days(n)`: n days from the seed's day, as text; `draw`: chance that falls alike each time."""

    people: list[Staff]
    stations: list[Unit]
    rooms: dict[str, int]  # by the station's id
    clients: list[tuple[str, str, tuple[str, ...]]]  # id, station's number, categories
    today: date
    draw: random.Random

    def days(self, number: int) -> str:
        """A day from today on, or before it."""
        return (self.today + timedelta(days=number)).isoformat()

    def workers(self, *workforces: str) -> list[tuple[int, Staff]]:
        """People of these kinds, numbered."""
        return [(number, each) for number, each in enumerate(each for each in self.people if each.workforce in workforces)]


def seed_registers(system: System, now: datetime, progress: Progress = silent) -> int:
    """Fill each register that is still empty, a command each; answers how many entries were added."""
    with system.database.read() as session:
        there = set(session.scalars(select(RegisterEntry.register).where(RegisterEntry.county_id == system.county_id).distinct()))
        missing = [key for key in _FILLED if key not in there]
        county = _county(system, session, now) if missing else None
    added = 0
    for done, key in enumerate(missing):
        progress("登记", done, len(missing))
        if lines := list(_FILLED[key](county)):
            added += fill(system, Actor.system(system.county_id), key, lines, now=now)["added"]
    if missing:
        progress("登记", len(missing), len(missing))
        _keep(system, now)
    return added


def _keep(system: System, now: datetime) -> None:
    """From now on the rules that judge by registers speak: what is entered is complete."""
    with system.database.read() as session:
        switches = {row.key for row in parameters.history(session, system.county_id) if row.key.startswith("keep_")}
    for key in sorted(switches):
        set_parameter(system, Actor.system(system.county_id), key, 1, now=now)


def _county(system: System, session: Session, now: datetime) -> County:
    today = now.astimezone(system.zone).date()
    units = organisation.units(session, system.county_id, on=today)
    top = next(unit.path for unit in units if unit.kind == "county")
    people = organisation.staff(session, system.vault, system.county_id, top, limit=MOST_PEOPLE)
    working = [each for each in people if each.active and each.username and not each.roles & {"resident", "program"}]
    stations = [unit for unit in units if unit.kind == "station"]
    rooms = {station.id: sum(unit.parent_id == station.id for unit in units) for station in stations}
    numbers = {station.id: station.key.rpartition("-")[2] for station in stations}
    query = select(Client, SubjectKey).join(SubjectKey, SubjectKey.id == Client.key_id)
    query = query.where(Client.county_id == system.county_id, SubjectKey.destroyed_at.is_(None)).order_by(Client.id)
    served = [
        (client.id, numbers.get(client.station_id, ""), tuple(system.vault.open(key, client.sealed, client.place).get("categories") or ()))
        for client, key in session.execute(query)
    ]
    return County(working, stations, rooms, served, today, random.Random("registers"))


# --- people -----------------------------------------------------------------------------------------------------------


def _profiles(county: County) -> Lines:
    for number, each in enumerate(county.people):
        skills = county.draw.sample(SKILLS, 2) if each.workforce in VISITING else []
        yield each.username, {"gender": ("female", "male")[number % 2], "skills": skills, "joined_on": county.days(-500 - number % 900)}


def _certificates(county: County) -> Lines:
    for number, each in county.workers("full_time"):
        kind = ("social_worker", "assistant_social_worker")[number % 2]
        until = 20 if number % 9 == 4 else 300 + number % 500
        issued = {"kind": kind, "number": f"DEMO-{number:04d}", "issued_on": county.days(until - 1095)}
        yield each.username, issued | {"registered_until": county.days(until)}


def _badges(county: County) -> Lines:
    for number, each in enumerate(each for each in county.people if each.workforce):
        until = {7: 6, 8: 24}.get(number % 40, 120 + number % 300)
        yield each.username, {"number": f"SG-{number + 1:04d}", "issued_on": county.days(until - 1095), "valid_until": county.days(until)}


def _record_checks(county: County) -> Lines:
    """Every year; one now and then is due again within a month."""
    for number, each in enumerate(each for each in county.people if each.workforce):
        latest = -350 if number % 45 == 9 else -20 - number % 200
        for day in (latest - 360, latest):
            yield each.username, {"checked_on": county.days(day), "result": "clear", "authority": "县公安局"}


def _trainings(county: County) -> Lines:
    for number, each in enumerate(county.people):
        if each.workforce:
            yield each.username, _training("induction", "岗前培训", county.days(-480), 24)
        for day in (-380, -348 if number % 50 == 5 else -30 - number % 150):
            yield each.username, _training("privacy", "个人信息保护年度培训", county.days(day), 2)
        if each.workforce == "volunteer":
            yield each.username, _training("volunteer", "志愿服务基础", county.days(-460), 4)
        for topic in SPECIAL if each.workforce in WORKERS or each.workforce == "partner" else SPECIAL[:2] if each.workforce == "assistant" else ():
            yield each.username, _training(topic, "专项培训", county.days(-420), 8)
        if each.workforce in WORKERS:
            for year in range(3):
                yield each.username, _training("continuing", "继续教育", county.days(-100 - 330 * year), 32)
            for month in range(3):
                yield each.username, _training("supervision", "小组督导", county.days(-12 - 30 * month), 3)


def _training(topic: str, title: str, day: str, hours: int) -> dict:
    return {"topic": topic, "title": title, "held_on": day, "hours": hours}


def _shifts(county: County) -> Lines:
    for number, each in county.workers(*WORKERS):
        for week in range(2):
            yield each.username, {"day": county.days(number % 7 + 7 * week), "from": "08:30", "to": "17:00"}


def _absences(county: County) -> Lines:
    for number, each in county.workers("part_time"):
        if number % 9 == 8:
            substitute = each.username.replace("pt-", "ft-")
            yield each.username, {"from": county.days(3), "to": county.days(7), "kind": "leave", "reason": "年休假", "substitute": substitute}


def _interests(county: County) -> Lines:
    for number, each in county.workers("full_time"):
        if number % 6 == 5:
            values = {"kind": "kinship", "party": "本村堂叔", "declared_on": county.days(-340 if number == 5 else -90), "approved": True}
            yield each.username, values | {"description": "不参与其个案"}


def _gifts(county: County) -> Lines:
    for number, each in county.workers("full_time"):
        if number in (4, 13):
            yield each.username, {"reported_on": county.days(-8), "what": "土鸡蛋一篮", "from_whom": "一位老人", "handled": "returned"}


# --- stations ---------------------------------------------------------------------------------------------------------


def _posts(county: County) -> Lines:
    for station in county.stations:
        for workforce, number in (("full_time", 2), ("part_time", 2), ("assistant", county.rooms[station.id])):
            yield station.key, {"workforce": workforce, "number": number}


def _insurances(county: County) -> Lines:
    for number, station in enumerate(county.stations):
        until = 18 if number == 2 else 200 + number
        covers = ["activity", "rescue", "travel"]
        period = {"insured_from": county.days(until - 364), "insured_until": county.days(until)}
        yield station.key, {"policy": f"DEMO-{number + 1:03d}", "covers": covers} | period
        yield station.key, {"policy": f"DEMO-{number + 1:03d}-0", "covers": covers} | {
            "insured_from": county.days(until - 729), "insured_until": county.days(until - 365),
        }


def _premises(county: County) -> Lines:
    """A check in each of the last months, the third station's with a fault that is not mended; a drill a year."""
    last_month = county.today.replace(day=1) - timedelta(days=1)
    for number, station in enumerate(county.stations):
        for back in range(4):
            day = (last_month - timedelta(days=30 * back)).replace(day=min(26, 10 + number)).isoformat()
            faulty = number == 2 and back == 0
            yield station.key, {"kind": "check", "done_on": day, "result": "faults" if faulty else "ok"} | ({"faults": "灭火器过期"} if faulty else {})
        yield station.key, {"kind": "drill", "done_on": county.days(-345 if number == 5 else -60 - 9 * number), "result": "ok"}


def _hotline(county: County) -> Lines:
    asked = ("村口路灯不亮", "咨询临时救助", "老人想换助餐点", "反映邻里噪音", "咨询残疾人补贴")
    for number, (station, subject) in enumerate(zip(county.stations, asked, strict=False)):
        received = {"channel": "hotline_12345", "external_number": f"DEMO{number:06d}", "received_at": f"{county.days(-1 - number)} 09:00", "subject": subject}
        yield station.key, received | ({"answered_at": f"{county.days(-1)} 15:00", "satisfied": True} if number > 2 else {})


def _complaints(county: County) -> Lines:
    for station in county.stations[3:4]:
        number = station.key.rpartition("-")[2]
        received = {"received_at": f"{county.days(-20)} 10:00", "subject": "约好的时间没有来", "about": f"pt-{number}-2"}
        yield station.key, received | {"handler": f"lead-{number}", "answered_at": f"{county.days(-18)} 16:00"}


def _organisations(county: County) -> Lines:
    for number, station in enumerate(county.stations):
        values = {"name": f"{station.name.removesuffix('社工站')}邻里互助队", "type": "邻里互助", "filed_on": county.days(-150 - 10 * number)}
        yield station.key, values | {"volunteers": 30 + number}


def _indicators(county: County) -> Lines:
    period = f"{county.today:%Y}"
    for number, station in enumerate(county.stations):
        for indicator, target in (("个案", 60), ("小组活动", 12), ("社区活动", 12)):
            yield station.key, {"indicator": indicator, "period": period, "target": target, "value": target - number % 5}


# --- people served ----------------------------------------------------------------------------------------------------


def _watched(county: County) -> Iterator[tuple[int, str, str, str, str]]:
    """(number, client, worker's username, cohort, risk) of everybody who belongs to a cohort."""
    number = 0
    for client_id, station, categories in county.clients:
        cohort = next((COHORTS[each] for each in categories if each in COHORTS), None)
        if cohort and station:
            yield number, client_id, f"ft-{station}-{number % 2 + 1}", *cohort
            number += 1


def _cohorts(county: County) -> Lines:
    for _number, client_id, worker, cohort, risk in _watched(county):
        yield client_id, {"cohort": cohort, "risk": risk, "worker": worker, "from": county.days(-200)}


def _visits(county: County) -> Lines:
    """The last visit of each is recent enough, but for one in fifteen."""
    for number, client_id, worker, _cohort, risk in _watched(county):
        within = VISITED_WITHIN[risk]
        yield client_id, {"day": county.days(-within - 8 if number % 15 == 14 else -1 - number % within), "by": worker, "kind": "home"}


# Cohorts first: a visit counts the next one's day anew.
_FILLED = {
    "profiles": _profiles,
    "certificates": _certificates,
    "badges": _badges,
    "record_checks": _record_checks,
    "trainings": _trainings,
    "shifts": _shifts,
    "absences": _absences,
    "interests": _interests,
    "gifts": _gifts,
    "posts": _posts,
    "insurances": _insurances,
    "premises": _premises,
    "hotline": _hotline,
    "complaints": _complaints,
    "organisations": _organisations,
    "indicators": _indicators,
    "cohorts": _cohorts,
    "visits": _visits,
}
