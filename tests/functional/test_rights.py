"""Every route and every command as everybody, on their own station's objects and on another's, compared with docs/rights.md's table."""

import pytest

from engine import commands
from engine.exceptions import EngineError, Forbidden, NotFound, NotOffered, TaskTaken
from tests.support.rights import ARGUMENTS, HELD, LEAVING, UNBUILT, USERNAMES, World
from tests.support.writes import count_writes
from webapp.rights.page import FILE, PEOPLE, command_list, reach_of, routes, text
from webapp.rights.table import RIGHTS, Reach, Right

DENIED = (401, 403, 404)


@pytest.fixture
def world(site):
    return World(site)


@pytest.fixture
def matrix(world):
    """Rights do not depend on the database, and thousands of calls take minutes: the whole matrix runs on one of the two."""
    if world.site.county.system.database.dialect != "sqlite":
        pytest.skip("the matrix runs on SQLite; what rights read from the database is tested on both")
    count_writes(world.system.database)
    return world


def places(right: Right) -> tuple[str, ...]:
    """Whose objects a right is tried on."""
    return ("own",) if right.reach in (Reach.PUBLIC, Reach.SIGNED_IN, Reach.COUNTY, Reach.LIST) else ("own", "other")


def allowed(reach: str | None, which: str) -> bool:
    """What the table says; `held` is tried on its own."""
    return reach in ("all", "county") or (reach == "unit" and which == "own")


def test_every_route_declares_its_right_and_the_table_names_no_other(site):
    endpoints = {rule.endpoint for rule in site.app.url_map.iter_rules()}
    assert endpoints - set(RIGHTS) == set(), "declare the rights of new routes in webapp/rights/table.py"
    assert set(RIGHTS) - endpoints == set()
    from engine.permissions import PERMISSION_NAMES

    assert {right.permission for right in RIGHTS.values()} - {None} <= set(PERMISSION_NAMES)


def test_a_route_that_declares_nothing_is_reached_by_nobody(site, monkeypatch):
    visit = site.visit("supervisor")
    assert visit.get("/cases/").status_code == 200
    monkeypatch.delitem(RIGHTS, "cases.index")
    assert visit.get("/cases/").status_code == 403
    monkeypatch.delitem(RIGHTS, "health.live")
    assert site.visit().get("/health/live").status_code == 403


def test_the_page_is_what_the_code_says():
    assert FILE.read_text(encoding="utf-8") == text(), "run: python -m webapp.rights"


def test_every_route_as_everybody(matrix):
    """Allowed: no refusal, no fault. Denied: a refusal, the database as it was, and a line in the access stream of whoever is known."""
    faults, calls = [], 0
    for method, rule in routes(matrix.site.app):
        right = RIGHTS[rule.endpoint]
        for somebody in PEOPLE:
            reach = reach_of(somebody.actor, right)
            for which in places(right) if (rule.arguments or method != "GET") and not rule.arguments & UNBUILT else ("own",):
                if rule.endpoint in HELD:
                    matrix.hold(somebody.key, which)
                matrix.client_of(somebody.key, api=rule.rule.startswith("/api/"))
                place, written, before = matrix.place(which), matrix.written(), matrix.refusals(somebody.key)
                answer = matrix.call(somebody.key, method, rule, place)
                calls += 1
                told = f"{method} {rule.rule} as {somebody.key} on {which}: {answer.status_code}"
                if allowed(reach, which):
                    missing = answer.status_code == 404 and rule.arguments & UNBUILT
                    refused = answer.status_code in DENIED and not missing and rule.endpoint not in ("account.check", "tokens-api.sign_in")
                    if refused or answer.status_code >= 500 or (sent_to_sign_in(answer) and right.reach is not Reach.PUBLIC):
                        faults.append(f"{told}, should be allowed")
                    if method != "GET" and rule.arguments:
                        matrix.touch(which, rule.endpoint)
                else:
                    if answer.status_code not in DENIED and not sent_to_sign_in(answer):
                        faults.append(f"{told}, should be denied")
                    if matrix.written() != written:
                        faults.append(f"{told}, denied, and something changed")
                    if somebody.actor is not None and matrix.refusals(somebody.key) != before + 1:
                        faults.append(f"{told}, denied, recorded {matrix.refusals(somebody.key) - before} times")
                if rule.endpoint in LEAVING:
                    matrix.leave(somebody.key)
    assert not faults, "\n".join(faults)
    assert calls > 800
    assert matrix.county.faults() == []


def sent_to_sign_in(answer) -> bool:
    return answer.status_code == 302 and answer.headers["Location"].startswith("/login")


@pytest.mark.parametrize("key", ["volunteer", "partner"])
def test_a_held_task_opens_its_case_and_no_other(world, key):
    rules = [(method, rule) for method, rule in routes(world.site.app) if RIGHTS[rule.endpoint].reach is Reach.CASE and rule.arguments]
    assert rules
    for method, rule in rules:
        assert world.call(key, method, rule, world.place("own")).status_code in DENIED, rule
    world.hold(key, "own")
    for method, rule in rules:
        assert world.call(key, method, rule, world.place("own")).status_code < 400, rule
        assert world.call(key, method, rule, world.place("other")).status_code in DENIED, rule


def test_lists_show_nothing_of_another_station(world):
    """Also what one searches for by name."""
    own, other = world.place("own"), world.place("other")
    for somebody in PEOPLE:
        for _method, rule in routes(world.site.app):
            if RIGHTS[rule.endpoint].reach is not Reach.LIST or rule.arguments or reach_of(somebody.actor, RIGHTS[rule.endpoint]) != "unit":
                continue
            client, headers = world.client_of(somebody.key, api=rule.rule.startswith("/api/"))
            headers = headers if rule.rule.startswith("/api/") else {}
            for query in ("", "?view=offered", "?view=station", "?q=张三"):
                answer = client.get(rule.rule + query, headers=headers).text
                for thing in (other.case, other.task, other.client):
                    assert thing not in answer, (somebody.key, rule.rule, query)
    program = world.site.api("ft-01-1")
    assert own.client in program.get("/clients?q=张三").text and own.case in program.get("/instances").text


def test_every_command_as_everybody(matrix):
    """A command is refused before it does anything, and says so in the history, however it is reached."""
    faults = []
    for route, permission, function in command_list():
        tried = ARGUMENTS.get(route)
        right = Right(None if permission == commands.SIGNED_IN else permission, reach_of_command(route))
        for somebody in PEOPLE[:-1]:
            reach = reach_of(somebody.actor, right)
            for which in places(right):
                if route in HELD:
                    matrix.hold(somebody.key, which)
                matrix.asking = somebody.key
                actor, place = matrix.county.act(USERNAMES[somebody.key]), matrix.place(which)
                arguments = tried(matrix, place) if tried else ()  # may make what is then asked for
                written, before = matrix.written(), matrix.refusals(somebody.key)
                refusal = carried_out(function, matrix, actor, arguments)
                told = f"{route} as {somebody.key} on {which}: {refusal!r}"
                if allowed(reach, which):
                    missing = route in UNBUILT and isinstance(refusal, NotFound)
                    if isinstance(refusal, Forbidden | NotFound | NotOffered | TaskTaken) and not missing:
                        faults.append(f"{told}, should be allowed")
                    matrix.touch(which, route)
                else:
                    if not isinstance(refusal, Forbidden | NotFound):
                        faults.append(f"{told}, should be denied")
                    if matrix.written() != written:
                        faults.append(f"{told}, denied, and something changed")
                    if isinstance(refusal, Forbidden) and matrix.refusals(somebody.key) != before + 1:
                        faults.append(f"{told}, denied, not recorded")
    assert not faults, "\n".join(faults)
    assert matrix.county.faults() == []


def carried_out(function, world, actor, arguments):
    """The refusal, or None. Without arguments of its own a command that is let through misses them."""
    try:
        function(world.system, actor, *arguments, now=world.county.now)
    except (EngineError, TypeError) as refusal:
        return refusal
    return None


def reach_of_command(route: str) -> Reach:
    """How far a command reaches: those on somebody's objects their place, the others the county."""
    noun = route.partition(":")[0]
    if noun in ("instance", "client", "household", "account", "alert", "party") or route == "session:end-for":
        return Reach.PLACE
    if noun == "outing" and route != "outing:report":
        return Reach.OUTING
    if noun == "waiver" and route != "waiver:ask":
        return Reach.WAIVER if route == "waiver:withdraw" else Reach.PLACE
    return Reach.TASK if noun in ("task", "document", "waiver") else Reach.COUNTY


def test_routes_of_commands_are_told_apart():
    """A route names the idempotency keys of its command; two commands of one name would answer for each other."""
    named = [route for route, _permission, _function in command_list()]
    assert len(named) == len(set(named))


def test_what_declares_no_right_is_the_products_own(county):
    @commands.command("test:nothing")
    def nothing(act):
        return {}

    for username in ("supervisor", "admin", "ft-01-1"):
        with pytest.raises(Forbidden):
            nothing(county.system, county.act(username), now=county.now)
    assert nothing(county.system, county.act("system"), now=county.now) == {}
