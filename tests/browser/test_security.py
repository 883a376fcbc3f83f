"""Every page in a real browser under its own policy: nothing is refused by it, because nothing inline or from elsewhere is there."""

import pytest

from tests.support.journeys import sign_in
from tests.support.rights import USERNAMES, World
from webapp.rights.page import PEOPLE, reach_of, routes
from webapp.rights.table import RIGHTS

pytestmark = pytest.mark.browser
WATCH = """
window.refused = [];
document.addEventListener('securitypolicyviolation', event => window.refused.push(
    `${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


def test_no_page_breaks_its_policy(served_site, desktop):
    """Each page as the first of the people who may open it; a page that downloads or redirects shows nothing to break."""
    site, address = served_site
    world = World(site)
    desktop.add_init_script(WATCH)
    faults, seen, signed_in = [], 0, None
    pages = [rule for method, rule in routes(site.app) if method == "GET" and not rule.rule.startswith(("/api/", "/static/", "/health", "/metrics"))]
    for somebody in PEOPLE:
        for rule in [each for each in pages if reach_of(somebody.actor, RIGHTS[each.endpoint]) in ("all", "county", "unit")]:
            answer = world.call(somebody.key, "GET", rule, world.place("own"))
            if answer.mimetype != "text/html" or answer.status_code != 200 or "attachment" in answer.headers.get("Content-Disposition", ""):
                continue
            pages.remove(rule)
            if signed_in != somebody.key and USERNAMES[somebody.key]:
                sign_in(desktop, address, USERNAMES[somebody.key])
                signed_in = somebody.key
            with site.app.test_request_context():
                path = site.app.url_map.bind("").build(rule.endpoint, world.names(world.place("own"), rule, somebody.key))
            desktop.goto(address + path)
            if desktop.locator("#diagram").count():  # drawn after the page is there
                desktop.wait_for_load_state("networkidle")
            faults += [(rule.rule, refused) for refused in desktop.evaluate("window.refused")]
            seen += 1
    assert faults == []
    assert seen > 20


def test_the_watch_sees_what_a_policy_refuses(served_site, desktop):
    """That the test above could fail."""
    _site, address = served_site
    desktop.add_init_script(WATCH)
    desktop.expected_errors.append("Content Security Policy")
    desktop.goto(f"{address}/login")
    desktop.evaluate("() => { const mark = document.createElement('p'); mark.setAttribute('style', 'color: red'); document.body.append(mark); }")
    assert any(each.startswith("style-src") for each in desktop.evaluate("window.refused"))
