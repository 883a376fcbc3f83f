"""What pages and API share: who the people of waivers are, what filters ask for, what stands in somebody's way in words."""

from collections.abc import Iterable

from flask_babel import gettext

from engine import organisation
from engine.exceptions import NotFound
from engine.explaining import Obstacle
from engine.waivers import Line
from webapp.auth import session, system
from webapp.i18n import in_chinese
from webapp.places import places
from webapp.words import role


def people_of(lines: Iterable[Line]) -> dict[str, str]:
    """Names of whoever asked, would act, or decided, by their ids."""
    found = {person for line in lines for person in (line.waiver.person_id, line.waiver.asked_by, line.waiver.decided_by)}
    return organisation.names_of(session(), system().vault, found - {None})


def filters(status: str | None, rule: str | None, station: str | None) -> dict[str, str | None]:
    """Arguments of `engine.waivers.register`. Raises NotFound for a station that the county has not."""
    place = places().by_key.get(station) if station else None
    if station and place is None:
        raise NotFound(what="单位", key=station)
    return {"status": status or None, "rule": rule or None, "station_id": place.id if place else None}


def obstacle_text(obstacle: Obstacle) -> str:
    """What stands in somebody's way, in the reader's language."""
    kinds = gettext("、").join(role(kind) for kind in obstacle.workforce)
    return (obstacle.message if in_chinese() else obstacle.message_en).format(workforce=kinds)
