"""What journeys through the application in a real browser share: `served_site`, signing in, filling in forms, looking at a page."""

import json
import re

import pytest
from playwright.sync_api import Page

from tests.support.browsers import served, sideways_scroll
from tests.support.counties import County, prepare_with_procedures
from tests.support.county import PASSWORD
from tests.support.web import Site, flat


@pytest.fixture
def served_site(new_database, tmp_path):
    """(site, address): the application on SQLite, in threads of this process."""
    county = County(new_database("sqlite", prepare=prepare_with_procedures))
    site = Site(county, tmp_path)
    with served(site.app) as address:
        yield site, address
    site.close()
    county.system.database.dispose()


def sign_in(page: Page, address: str, username: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{address}/login")
    page.get_by_label("用户名").fill(username)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(re.compile(r"/(tasks/)?$"))


def fill(page: Page, data: dict) -> None:
    """Type answers into whatever fields of the form are there to be seen; again for those that appear because of them."""
    left = flat(data)
    for _round in range(4):
        for name, value in list(left.items()):
            for each in value if isinstance(value, list) else [value]:
                if not _fill_one(page, name, each):
                    break
            else:
                left.pop(name)


def _fill_one(page: Page, name: str, value) -> bool:
    fields = page.locator(f"[name={json.dumps(name)}]:not([type=hidden])")
    if not fields.count():
        return False
    first = fields.first
    kind = first.evaluate("field => field.type")
    if kind in ("radio", "checkbox"):
        first = page.locator(f"[name={json.dumps(name)}][value={json.dumps(str(value))}]").first
        if not first.count() or not first.is_visible() or first.is_disabled():
            return False
        first.check()
        return True
    if not first.is_visible() or not first.is_editable():
        return False
    if kind.startswith("select"):
        first.select_option(str(value))
    elif kind == "datetime-local":
        first.fill(str(value)[:16])
    else:
        first.fill(str(value))
    return True


def looks_right(page: Page, axe) -> None:
    """It fits its window, and axe has nothing to say."""
    assert sideways_scroll(page) == 0
    assert axe(page) == []
