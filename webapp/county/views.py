"""The home page, one unit, the people."""

from flask import Blueprint, redirect, render_template, url_for

from engine import calendar, organisation, permissions, tasks
from engine.exceptions import NotFound
from webapp.auth import actor, session, system
from webapp.county.figures import Figures, by_station
from webapp.i18n import now
from webapp.places import places

pages = Blueprint("county", __name__, template_folder="templates")
PEOPLE = 300


@pages.get("/")
def home():
    """The county at a glance."""
    found = by_station(session(), system().county_id, now())
    stations = [(place, found.get(place.id, Figures())) for place in places().stations()]
    return render_template(
        "county/home.html",
        county=places().by_key.get("county"),
        stations=stations,
        total=sum(found.values(), Figures()),
        own=found.get(None, Figures()),
        most=max([figures.tasks for _place, figures in stations] + [1]),
        counts=tasks.counts(session(), actor()) if permissions.may(actor(), "task:read") else None,
        missing_years=_missing_years() if permissions.may(actor(), "calendar:write") else [],
    )


def _missing_years() -> list[int]:
    return calendar.missing_years(session(), system().county_id, now().astimezone(system().zone).date())


@pages.get("/start")
def start():
    """Where a person begins the day: those with tasks at their tasks, the others at the county."""
    works = permissions.may(actor(), "task:read") and (actor().workforce is not None or "lead" in actor().roles)
    return redirect(url_for("inbox.index") if works else url_for("county.home"))


@pages.get("/units/<key>")
def unit(key: str):
    """A station or room: what is there and who works there."""
    place = places().by_key.get(key)
    if place is None:
        raise NotFound(what="单位", key=key)
    below = [each for each in places().within(place.path) if each.path != place.path]
    people = organisation.actors(session(), system().vault, system().county_id, place.path, limit=PEOPLE)
    return render_template(
        "county/unit.html",
        place=place,
        station=places().station_of(place.path),
        rooms=[each for each in below if each.kind == "room"] if place.kind == "station" else [],
        stations=places().stations() if place.kind == "county" else [],
        people=[each for each in people if place.kind != "county" or each.unit_path == place.path],
        figures=by_station(session(), system().county_id, now()).get(place.id) if place.kind == "station" else None,
        registers=permissions.may(actor(), "register:read") and organisation.covers(actor().unit_path, place.path),
    )
