"""A real Chromium for tests: `phone` and `desktop` are pages of a person with that device, `shot` keeps pictures, `axe` audits.

A page's script errors, refused resources (CSP) and failed requests fail its test at the end; a test that provokes some says
`page.expected_errors.append("part of the message")`.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "var" / "screenshots"
PACKAGES = ROOT / "node_modules"

CHROMIUM = "/usr/bin/chromium-headless-shell"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DEVICES = {
    "phone": {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True},
    "desktop": {"viewport": {"width": 1440, "height": 900}},
}
PERSON = {"locale": "zh-CN", "timezone_id": "Asia/Shanghai"}


class Visitor:
    """One person's browser: a context of its own (cookies) with one page."""

    def __init__(self, browser: Browser, device: str, **options):
        self.context = browser.new_context(**(PERSON | DEVICES[device] | options))
        self.context.set_default_timeout(10_000)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.page.expected_errors = []
        self.page.on("pageerror", lambda error: self.errors.append(f"script: {error}"))
        self.page.on("console", self._note)

    def _note(self, message) -> None:
        if message.type == "error":
            self.errors.append(f"console: {message.text} ({message.location.get('url', '')})")

    def close(self) -> list[str]:
        """Ends the visit; returns the errors nobody expected."""
        self.context.close()
        return [error for error in self.errors if not any(part in error for part in self.page.expected_errors)]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Takes no test's time to start unless one wants it."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser) -> Iterator[Callable[..., Page]]:
    """`visit("phone")` or `visit("desktop")` opens another person's browser and returns its page.

    More options go to the context, as `bypass_csp=True` or `java_script_enabled=False`.
    """
    visitors: list[Visitor] = []

    def open_page(device: str = "desktop", **options) -> Page:
        visitors.append(Visitor(browser, device, **options))
        return visitors[-1].page

    yield open_page
    errors = [error for visitor in visitors for error in visitor.close()]
    assert not errors, "\n".join(errors)


@pytest.fixture
def phone(visit) -> Page:
    """A page 360 × 740, touched by a finger."""
    return visit("phone")


@pytest.fixture
def desktop(visit) -> Page:
    """A page 1440 × 900."""
    return visit("desktop")


@pytest.fixture(params=list(DEVICES))
def page(request, visit) -> Page:
    """The test runs once on a phone and once on a desktop."""
    return visit(request.param)


@pytest.fixture
def shot() -> Callable[[Page, str], None]:
    """`shot(page, "inbox")` keeps var/screenshots/inbox-360.png and inbox-1440.png, whole page; at neither width it scrolls sideways."""

    def take(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        own = page.viewport_size
        for window in sorted((device["viewport"] for device in DEVICES.values()), key=own.__eq__):  # the own one last: there it stays
            page.set_viewport_size(window)
            assert sideways_scroll(page) == 0
            # What sticks to the window would lie in the middle of the page.
            page.evaluate("window.scrollTo(0, 0); document.querySelector('.tabbar')?.style.setProperty('position', 'static')")
            page.screenshot(path=SCREENSHOTS / f"{name}-{window['width']}.png", full_page=True, scale="css")
            page.evaluate("document.querySelector('.tabbar')?.style.removeProperty('position')")

    return take


@pytest.fixture
def axe() -> Callable[..., list[str]]:
    """`assert axe(page) == []`: accessibility faults of the page by WCAG 2.2 A and AA, one line each.

    axe goes in through the debugger, so that a strict content security policy stays as it is.
    """
    source = (PACKAGES / "axe-core" / "axe.min.js").read_text()

    def audit(page: Page, exclude: list[str] | None = None, only: str = "html") -> list[str]:
        """`only`: the part of the page that is looked at, where the rest is known."""
        page.evaluate(source)
        result = page.evaluate(
            """([only, exclude]) => axe.run({include: [only], exclude: exclude}, {
                runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations']
            })""",
            [only, exclude or []],
        )
        return [
            f"{fault['id']}: {fault['help']}: {' '.join(map(str, node['target']))}"
            for fault in result["violations"]
            for node in fault["nodes"]
        ]

    return audit


def sideways_scroll(page: Page) -> int:
    """Pixels by which the page is wider than its window: 0 on a page that fits a phone.

    A click returns while the page it leads to may have nothing but its address yet: no root element to measure.
    """
    page.wait_for_load_state()
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def eventually(check: Callable[[], object], seconds: float = 10.0, pause: float = 0.05):
    """Asks again until the answer is true, and returns it. Playwright's own polling needs eval, which our policy forbids."""
    until = time.monotonic() + seconds
    while not (answer := check()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds} s: {check}")
        time.sleep(pause)
    return answer


@contextlib.contextmanager
def served(app) -> Iterator[str]:
    """A WSGI application on a free port of this machine, in threads of this process: `with served(create_app(…)) as url`."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
