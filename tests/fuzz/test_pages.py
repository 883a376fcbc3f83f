"""Every form of the pages, filled in wrongly, and every page asked for wrongly. The routes come from the application itself."""

import re
from random import Random
from urllib.parse import quote, quote_plus

import pytest

from tests.fuzz.harness import MARK, ROLES, Request, Target
from tests.fuzz.mutate import NAMES, TEXTS, damaged, header, query, segment
from tests.fuzz.test_bundles import bundles, multipart
from tests.support.web import flat

PER_ROUND = 400
# Signing out would end what the round stands on; a verification is done at its end.
LEFT_OUT = {"account.leave", "static", "audit.verify"}
FIELDS = {
    "account.check": {"username": "ft-01-1", "password": "wrong", "next": "/tasks/"},
    "account.check_again": {"address": "/tasks/", "carried": '{"fields": [["a", "b"]], "files": []}', "username": "ft-01-1", "password": "wrong"},
    "account.password": {"old": "wrong", "new": "long enough 7"},
    "cases.new": {"definition": "service_delivery", "place": "room-001", "client_id": "", "_once": "k1"},
    "cases.cancel": {"reason": "迁出"},
    "clients.register": {"name": "王五", "birth_date": "1950-01-01", "gender": "male", "place": "room-001", "household": "", "_once": "k2"},
    "clients.edit": {"name": "王五", "phone": "13800000000", "categories": "orphan", "version": "1"},
    "county.people_new": {"name": "赵六", "unit": "station-01", "workforce": "full_time", "partner": "", "_once": "k3"},
    "county.people_account": {"username": "new-one", "password": "long enough 7", "roles": "worker"},
    "county.people_closed": {"closed": "0"},
    "county.people_password": {"password": "long enough 7"},
    "county.people_roles": {"roles": "worker"},
    "inbox.delegate": {"to": "assistant-001"},
    "settings.import_calendar": {"year": "2027"},
    "settings.set_parameter": {"key": "caseload.cap", "value": "25", "unit": ""},
}
# Who gets past the first look, mostly.
MAY = {
    "account": ["ft-01-1", "supervisor", None],
    "audit": ["auditor"],
    "cases": ["ft-01-1", "lead-01"],
    "cases.cancel": ["lead-01"],
    "cases.retry": ["supervisor"],
    "clients": ["ft-01-1", "lead-01", "assistant-001"],
    "county": ["admin", "lead-01"],
    "definitions": ["supervisor"],
    "health": [None],
    "inbox": ["assistant-001", "ft-01-1"],
    "inbox.delegate": ["lead-01"],
    "settings": ["supervisor", "admin"],
    "settings.import_calendar": ["admin"],
}


@pytest.mark.soak
def test_mutated_forms_and_pages(campaign, target):
    for number in campaign.rounds(1, 200):
        dice = campaign.dice("pages", number)
        with target() as fuzzed:
            valid = rules(fuzzed)
            for _ in range(PER_ROUND):
                mutated_page(dice, fuzzed, valid)
        campaign.note(requests=fuzzed.sent)


def rules(fuzzed: Target) -> list[tuple[str, str, str]]:
    """(endpoint, method, rule) of everything that is no API."""
    return [
        (rule.endpoint, method, rule.rule)
        for rule in fuzzed.app.url_map.iter_rules()
        for method in sorted(rule.methods & {"GET", "POST"})
        if not rule.rule.startswith("/api") and rule.endpoint not in LEFT_OUT
        for _more in range(3 if method == "POST" else 1)
    ]


def mutated_page(dice: Random, fuzzed: Target, valid: list[tuple[str, str, str]]) -> None:
    """Ask for one page, or send one form."""
    endpoint, method, rule = dice.choice(valid)
    may = MAY.get(endpoint) or MAY.get(endpoint.split(".")[0]) or list(ROLES)
    who = dice.choice(may if dice.random() < 0.8 else [*ROLES, None])
    made = Request(method, _address(dice, fuzzed, rule))
    if dice.random() < (0.6 if method == "GET" else 0.1):
        made.query = query(dice, dice.choice(["", "", "q=%E5%BC%A0", "view=mine", "lang=en"]))
    if method == "POST":
        token, cookie = fuzzed.form_token(who)
        fields = list(_fields(fuzzed, endpoint).items())
        _change(dice, fields)
        if dice.random() < 0.97:
            fields.append(("csrf_token", token))
        made.headers["Cookie"] = cookie
        made.headers["Content-Type"], made.body = _encoded(dice, endpoint, fields)
        if dice.random() < 0.05:
            made.body = damaged(dice, made.body)
    if dice.random() < 0.15:
        name, text = header(dice)
        if name != "Cookie" or method == "GET":
            made.headers[name] = text
    fuzzed.send(made, who)


def _address(dice: Random, fuzzed: Target, rule: str) -> str:
    known = fuzzed.known
    there = {
        "task_id": known["tasks"],
        "instance_id": known["cases"],
        "client_id": known["clients"],
        "person_id": known["people"],
        "key": ["service_delivery", "duties", "station-01", "room-001"],
        "number": ["1"],
        "name": ["service_delivery.bpmn", "duties.dmn", "visit.form"],
        "code": ["zh", "en"],
    }

    def part(match: re.Match) -> str:
        if dice.random() < 0.1:
            return segment(dice)
        return quote(dice.choice(there.get(match.group(1), ["1", known["cases"][0], known["tasks"][0]])))

    return re.sub(r"<(?:[^:>]+:)?([a-z_]+)>", part, rule)


def _fields(fuzzed: Target, endpoint: str) -> dict[str, str]:
    if endpoint == "inbox.complete":
        return {name: str(value) for name, value in flat(fuzzed.known["visit"]).items()} | {"_once": "k4"}
    return dict(FIELDS.get(endpoint, {}))


def _change(dice: Random, fields: list[tuple[str, str]]) -> None:
    """In place: texts, names, doubles, losses, strangers."""
    for _ in range(dice.randrange(4)):
        at = dice.randrange(len(fields)) if fields else None
        match dice.randrange(7):
            case 0 if fields:
                fields.pop(at)
            case 1 if fields:
                fields.append((fields[at][0], dice.choice(TEXTS)))
            case 2:
                name = dice.choice([*NAMES, *TEXTS, "goals[0].text", "goals[999999].x", "goals[]", "_add", "_remove", "_check", "_hidden", "_once"])
                fields.append((name, dice.choice(TEXTS)))
            case 3:
                fields.extend((f"{dice.choice(NAMES)}{number}", "x") for number in range(dice.choice([10, 6000])))
            case 4 if fields:
                fields[at] = (fields[at][0], dice.choice(TEXTS) * dice.choice([1, 1, 100, 5000]))
            case _ if fields:
                fields[at] = (fields[at][0], dice.choice(TEXTS))


def _encoded(dice: Random, endpoint: str, fields: list[tuple[str, str]]) -> tuple[str, bytes]:
    if endpoint == "definitions.deploy" or dice.random() < 0.05:
        files = list(dice.choice(_BUNDLES).items()) if endpoint == "definitions.deploy" else [("x.csv", b"2027-01-01,holiday,x")]
        body, kind = multipart(dice, files)
        end = body.rfind(b"----fuzz--")
        plain = b"".join(
            b'----fuzz\r\nContent-Disposition: form-data; name="'
            + name.replace('"', "%22").encode(errors="surrogatepass")
            + b'"\r\n\r\n'
            + text.encode(errors="surrogatepass")
            + b"\r\n"
            for name, text in fields
        )
        return kind, body[:end] + plain + body[end:]
    raw = "&".join(f"{quote_plus(name, errors='surrogatepass')}={quote_plus(text, errors='surrogatepass')}" for name, text in fields)
    return "application/x-www-form-urlencoded", raw.encode()


_BUNDLES = bundles()[:3] + [{"x.form": f'{{"id": "{MARK}"}}'.encode()}]
