"""The web application over the small county: `site` runs the test on each database; `site.visit("ft-01-1")` is a person's browser
without JavaScript, `site.api("ft-01-1")` a program with that person's token. Time is the county's, moved by hand."""

import re
from html.parser import HTMLParser

import pytest
from flask import Flask

from tests.support.counties import County, keep, lend
from tests.support.county import PASSWORD, quickened
from tests.support.described import hold
from webapp import create_app, furnish
from webapp.config import Settings

MASTER_KEY = "07" * 32  # the one that tests.support.counties seals with


class Site:
    """The application and its county; `settings` as webapp.config has them."""

    def __init__(self, county: County, folder, app: Flask | None = None, **settings):
        """`app`: an application that served another county before; its routes and compiled templates serve this one as well."""
        self.county = county
        (folder / "master.key").write_text(MASTER_KEY)
        config = {
            "database_url": county.url,
            "master_key_file": folder / "master.key",
            "secret_key_file": folder / "secret.key",
            "county_id": county.system.county_id,
            "clock": lambda: county.now,
            "testing": True,
            **settings,
        }
        if app is not None:
            furnish(app, Settings.read(**config))
        self.app = app or create_app(config)
        lend(self.app.extensions["system"])
        quickened(self.app.extensions["system"].database)

    def visit(self, username: str | None = None) -> "Visit":
        """Somebody's browser, signed in; nobody's without a name."""
        visit = Visit(self.app.test_client())
        if username:
            answer = visit.submit("/login", {"username": username, "password": PASSWORD})
            assert answer.status_code == 302, answer.text
        return visit

    def api(self, username: str | None = None) -> "Program":
        """A program with a token; without one if no name is given."""
        program = Program(self.app.test_client())
        if username:
            answer = program.post("/tokens", {"username": username, "password": PASSWORD})
            program.token = answer.json["token"]
        return program

    def close(self) -> None:
        """Let go of the database."""
        keep(self.app.extensions["system"])
        self.app.extensions["system"].database.dispose()


class Visit:
    """A browser: keeps cookies, sends the form token that the page gave it."""

    def __init__(self, client):
        self.client = client

    def get(self, address: str, **options):
        """A page."""
        return self.client.get(address, **options)

    def submit(self, address: str, data: dict | None = None, page: str | None = None, **options):
        """Send a form to `address`, with the hidden fields that it has on `page` (or at the address itself)."""
        form = forms(self.get(page or address).text, address)
        return self.client.post(address, data=form | (data or {}), **options)


class Program:
    """A client of the API; every answer is held to the description of the API."""

    def __init__(self, client):
        self.client = client
        self.token: str | None = None

    def get(self, address: str, **options):
        """Read."""
        return self._send("GET", address, **options)

    def post(self, address: str, json=None, **options):
        """Write JSON (an empty body without)."""
        return self._send("POST", address, **({"json": json} if json is not None else {}), **options)

    def _send(self, method: str, address: str, headers: dict | None = None, **options):
        token = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = self.client.open(f"/api/v1{address}", method=method, headers=token | (headers or {}), **options)
        if application := getattr(self.client, "application", None):  # one that is asked through a proxy is elsewhere
            hold(application, method, f"/api/v1{address.partition('?')[0]}", answer)
        return answer


class _Forms(HTMLParser):
    def __init__(self, action: str):
        super().__init__()
        self.wanted, self.inside, self.found, self.any = action.split("?")[0], False, {}, {}

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        if tag == "form":
            self.inside = (known.get("action") or self.wanted).split("?")[0] == self.wanted and known.get("method") == "post"
        if tag == "input" and known.get("type") == "hidden" and "name" in known:
            self.any.setdefault(known["name"], known.get("value", ""))
            if self.inside:
                self.found[known["name"]] = known.get("value", "")

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False


def forms(html: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that leads to `action`; at least the form token of whatever form there is."""
    parser = _Forms(action)
    parser.feed(html)
    token = {"csrf_token": parser.any["csrf_token"]} if "csrf_token" in parser.any else {}
    return token | parser.found


def flat(data: dict, prefix: str = "") -> dict:
    """JSON data as the fields of a posted form."""
    found = {}
    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            found |= flat(value, f"{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            found[f"{name}[]"] = ""
            for number, entry in enumerate(value):
                found[f"{name}[{number}]"] = ""
                found |= flat(entry, f"{name}[{number}].")
        elif isinstance(value, bool):
            found |= {name: "true"} if value else {}
        elif value is not None:
            found[name] = value
    return found


def words_of(html: str) -> str:
    """A page's text, for assertions about what people read."""
    text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text)


_one_application: dict = {}  # of this process: making one takes longer than most tests


@pytest.fixture
def site(working_county, tmp_path):
    """The application over a county with the product's procedures; once on each database."""
    site = Site(working_county, tmp_path, _one_application.get("app"))
    _one_application["app"] = site.app
    yield site
    site.close()
