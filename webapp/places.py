"""The county's units as pages need them. A process keeps them and looks once a request whether they changed."""

from dataclasses import dataclass
from datetime import date

from flask import g
from sqlalchemy import select

from engine import organisation
from engine.audit import Stream
from engine.organisation import Actor, covers
from webapp.auth import session, system
from webapp.i18n import now


@dataclass(frozen=True)
class Place:
    """A unit, free of its session."""

    id: str
    key: str
    kind: str
    path: str
    name: str
    valid_from: date
    valid_to: date | None


class Places:
    """All units by id, key and path."""

    def __init__(self, units):
        self.all = [Place(u.id, u.key, u.kind, u.path, u.name, u.valid_from, u.valid_to) for u in units]
        self.by_id = {place.id: place for place in self.all}
        self.by_key = {place.key: place for place in self.all}
        self.by_path = {place.path: place for place in self.all}

    def stations(self) -> list[Place]:
        """The stations that exist today, in order."""
        return [place for place in self.all if place.kind == "station" and self._open(place)]

    def within(self, path: str) -> list[Place]:
        """Every unit of today that a path covers, itself included."""
        return [place for place in self.all if covers(path, place.path) and self._open(place)]

    def name(self, path: str | None) -> str:
        """`水泊街道 · 前码头村` for people: the place and, for a room, its station."""
        if not path:
            return ""
        parts = path.split("/")
        found = [self.by_path.get("/".join(parts[: count + 1])) for count in range(len(parts))]
        named = [place.name for place in found if place is not None]
        return " · ".join(named[1:] or named) or path

    def station_of(self, path: str) -> Place | None:
        """The station a path lies in."""
        return self.by_path.get("/".join(path.split("/")[:2])) if "/" in path else None

    @staticmethod
    def _open(place: Place) -> bool:
        today = now().astimezone(system().zone).date()
        return place.valid_from <= today and (place.valid_to is None or today <= place.valid_to)


def places() -> Places:
    """The units as of this request."""
    if "places" not in g:
        stream = organisation.stream(system().county_id)
        head = session().scalar(select(Stream.seq).where(Stream.id == stream))
        known = system().compiled.get("places")
        if known is None or known[0] != head:
            known = (head, Places(organisation.units(session(), system().county_id)))
            system().compiled["places"] = known
        g.places = known[1]
    return g.places


def own_places(actor: Actor) -> list[Place]:
    """Where this actor may start a case or register somebody: their own unit and all below it."""
    return places().within(actor.unit_path)
