"""The regulations in force: an overview, and one page each."""

import re
from datetime import date, datetime, time, timedelta

from flask import Blueprint, render_template, request
from flask_babel import gettext
from sqlalchemy import select

from engine import definitions, handbook, permissions, reference, verdicts, waivers
from engine.bundle import examples_of
from engine.definitions import Definition
from engine.exceptions import InvalidRequest, NotFound
from engine.regulation_examples import Result, run
from engine.regulations import Regulation
from engine.verdicts import Count
from webapp.auth import actor, require, session, system
from webapp.i18n import now
from webapp.regulations.words import EFFECTS, POINTS
from webapp.words import WAIVER_STATUSES

pages = Blueprint("regulations", __name__, template_folder="templates", url_prefix="/regulations")


@pages.get("/")
def index():
    """The regulations in force, and how often each spoke last month and in this."""
    require("definition:read")
    found = []
    month = _month(None)
    counts = _counts(month)
    for table in _in_force().tables:
        rules = dict.fromkeys(table.rule_of(row.id) for row in table.decision.rules)
        found.append((table, len(rules), _sum(counts, rules)))
    return render_template("regulations/index.html", regulations=found, month=month)


@pages.get("/<key>")
def regulation(key: str):
    """One regulation: its rules, its examples, and what it said in a month."""
    require("definition:read")
    known = _in_force()
    table = next((each for each in known.tables if each.key == key), None)
    if table is None:
        raise NotFound(what="制度", key=key)
    month = _month(request.args.get("month"))
    parameters = known.parameters(now(), actor().station_id)
    rules = handbook.rules(table, parameters)
    examples = _examples(table)
    return render_template(
        "regulations/regulation.html",
        regulation=table,
        rules=rules,
        examples=examples,
        failing=sum(not each.passed for found in examples.values() for each in found),
        counts=_counts(month),
        silent=Count(),
        waived=waivers.counts(session(), actor(), now(), asked=_span(month)) if permissions.may(actor(), "waiver:read") else None,
        waiver_statuses=WAIVER_STATUSES,
        month=month,
        earlier=(month - timedelta(days=1)).replace(day=1),
        later=_next(month) if _next(month) <= _today() else None,
        parameters={row.key: row for row in known.parameter_rows},
        values=parameters,
        points=POINTS,
        effects=EFFECTS,
    )


def _in_force() -> reference.Reference:
    return reference.in_force(system(), session())


def _examples(table: Regulation) -> dict[str, list[Result]]:
    """Rule → its examples, asked of the table at this very moment."""
    query = select(Definition.published_version_id).where(Definition.county_id == system().county_id, Definition.key == table.key)
    files = definitions.resources(session(), session().scalars(query).one())
    found: dict[str, list[Result]] = {}
    for result in run(table, examples_of(files)):
        found.setdefault(result.example.rule, []).append(result)
    return found


def _counts(month: date) -> dict[str, Count]:
    """What was said in a month, as far as the reader's unit goes."""
    return verdicts.counts(session(), system().county_id, *_span(month), actor().station_id)


def _span(month: date) -> tuple[datetime, datetime]:
    """The first moment of a month, and of the next."""
    return tuple(datetime.combine(day, time(), system().zone) for day in (month, _next(month)))


def _sum(counts: dict[str, Count], rules) -> Count:
    found = [counts[rule] for rule in rules if rule in counts]
    return Count(*(sum(getattr(each, name) for each in found) for name in ("said", "stopped", "waived")))


def _month(text: str | None) -> date:
    """The first day of a month; of last month, if none is named."""
    if text is None:
        return (_today().replace(day=1) - timedelta(days=1)).replace(day=1)
    if not re.fullmatch("2[0-9]{3}-(0[1-9]|1[0-2])", text):
        raise InvalidRequest(field="month", reason=gettext("请写成 2026-11 这样"))
    return date.fromisoformat(f"{text}-01")


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _today() -> date:
    return now().astimezone(system().zone).date()
