"""Who opens a client's record, and why: what the regulations are told, and the glass that can be broken."""

import pytest

from engine import clients
from engine.audit import Kind, as_line, events, stream
from engine.commands.clients import register, view
from engine.exceptions import Forbidden, InvalidRequest, NotFound, RegulationRefused
from engine.vault import SubjectKey
from tests.support.journeys import likely
from tests.support.tables import file, table

OUTPUTS = [(name, "string") for name in ("rule", "effect", "message", "message_en", "source", "notify")]
COLUMNS = [(text, "Any") for text in ("point", "record.kind", "record.minor", "record.broken_glass", 'string length(record.reason)')]


def row(minor: str, glass: str, reason: str, rule: str, effect: str, notify: str = "") -> list[str]:
    return ['"open"', '"client"', minor, glass, reason, f'"{rule}"', f'"{effect}"', '"请写明事由"', '"Say why"', '"站内默认"', notify]


@pytest.fixture
def guarded(county):
    """A county that wants a reason for minors and for breaking the glass, which is reviewed."""
    rows = [
        row("true", "false", "0", "know.minor", "block"),
        row("-", "true", "0", "know.glass", "block"),
        row("-", "true", "> 0", "know.review", "task", '"supervisor"'),
    ]
    county.deploy(**{"know.dmn": file(table(COLUMNS, OUTPUTS, rows, hit="COLLECT", ident="know"))})
    return county


def client(county, name: str, born: str = "1950-05-01", room: str = "room-001", who: str = "ft-01-1", **more) -> str:
    return register(county.system, county.act(who), {"name": name, "birth_date": born, **more}, room, now=county.now)["id"]


def look(county, who: str, client_id: str, *reason):
    return view(county.system, county.act(who), client_id, *reason, now=county.now)


def test_a_minors_record_is_opened_for_a_reason_which_is_kept(guarded):
    child = client(guarded, "小明", "2015-06-01")
    with pytest.raises(RegulationRefused):
        look(guarded, "ft-01-1", child)
    assert look(guarded, "ft-01-1", child, "评估监护情况")["name"] == "小明"
    assert look(guarded, "ft-01-1", client(guarded, "老张"))["name"] == "老张"
    with guarded.system.database.read() as session:
        seen = [event for event in events(session, stream("access", guarded.act("ft-01-1").person_id)) if event.kind == Kind.CLIENT_VIEWED]
        kept = as_line(guarded.system.vault, seen[0], session.get(SubjectKey, seen[0].key_id))
    assert kept["data"]["reason"] == "评估监护情况" and not {"reason", "emergency"} & kept["facts"].keys()
    assert guarded.faults() == []


def test_the_glass_is_broken_loudly(guarded):
    elsewhere = client(guarded, "老张", room="room-001")
    with pytest.raises(NotFound):
        look(guarded, "ft-02-1", elsewhere, "走失")
    with pytest.raises(RegulationRefused):
        look(guarded, "ft-02-1", elsewhere, "", True)
    assert look(guarded, "ft-02-1", elsewhere, "走失，正在找", True)["name"] == "老张"
    with guarded.system.database.read() as session:
        last = events(session, stream("access", guarded.act("ft-02-1").person_id))[-1]
        assert last.facts["emergency"] is True
    waiting = [line["kind"] for line in _stream(guarded, clients.stream(elsewhere))]
    assert waiting[-1] == Kind.ALERT_RAISED
    with pytest.raises(Forbidden):
        look(guarded, "volunteer-01-1", elsewhere, "好奇", True)


def test_the_glass_takes_a_reason_whatever_the_tables_say(county):
    """A county without such a regulation gave every record of the county to whoever asked, and for nothing."""
    elsewhere = client(county, "老张")
    with pytest.raises(InvalidRequest):
        look(county, "ft-02-1", elsewhere, " ", True)
    assert look(county, "ft-02-1", elsewhere, "走失", True)["name"] == "老张"


def test_ones_own_place_needs_no_hammer(guarded):
    own = client(guarded, "老张")
    look(guarded, "ft-01-1", own, "", True)
    with guarded.system.database.read() as session:
        assert "emergency" not in events(session, stream("access", guarded.act("ft-01-1").person_id))[-1].facts


FOUND = {"欧阳甲": True, "370832195005011237": True, "欧阳": False, "王二": False, "": False, "ouyangjia": False}


@pytest.mark.parametrize(("text", "found"), FOUND.items())
def test_whom_an_emergency_finds(guarded, text, found):
    """Only a whole name or number of one person: nobody leafs through a county."""
    wanted = client(guarded, "欧阳甲", id_number="370832195005011237")
    client(guarded, "王二"), client(guarded, "王二", room="room-002")
    with guarded.system.database.read() as session:
        search = lambda: clients.find_anywhere(session, guarded.system.vault, guarded.act("ft-02-1"), text)  # noqa: E731
        if found:
            assert search() == wanted
        else:
            with pytest.raises(NotFound):
                search()


def test_who_works_on_a_case_of_theirs_needs_to_know(working_county):
    """最小知悉: a minor's record asks everybody why but those in the team."""
    county = working_county
    child = client(county, "小明", "2015-06-01")
    case = county.start("service_delivery", client_id=child)["id"]
    with pytest.raises(RegulationRefused) as refused:
        look(county, "ft-01-1", child)
    assert [verdict.rule for verdict in refused.value.verdicts] == ["ethics.need_to_know"]
    county.do("ft-01-1", case, "visit", likely("visit", county.now))
    assert look(county, "ft-01-1", child)["name"] == "小明"
    with pytest.raises(RegulationRefused):
        look(county, "ft-01-2", child)


def _stream(county, name: str) -> list[dict]:
    with county.system.database.read() as session:
        return [{"kind": event.kind} for event in events(session, name)]
