"""Units are dated; actors know their station."""

from datetime import date

from engine.organisation import Actor, Unit


def unit(kind, valid_to=None):
    return Unit(id=f"{kind}-id", kind=kind, parent_id="above", valid_from=date(2022, 1, 1), valid_to=valid_to)


def test_the_station_of_a_unit():
    assert unit("county").station_id is None
    assert unit("station").station_id == "station-id"
    assert unit("room").station_id == "above"


def test_a_unit_exists_from_its_first_to_its_last_day():
    closed = unit("room", date(2026, 6, 30))
    days = [date(2021, 12, 31), date(2022, 1, 1), date(2026, 6, 30), date(2026, 7, 1)]
    assert [closed.valid_on(day) for day in days] == [False, True, True, False]
    assert unit("room").valid_on(date(2099, 1, 1))


def test_the_system_has_no_account_and_shows_no_name_in_logs():
    system = Actor.system("c")
    assert system.roles == {"system"} and system.unit_path == "county"
    assert "系统" not in repr(system)
