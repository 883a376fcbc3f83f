"""A supervisor sees what a change would have done before publishing it: the page keeps itself up to date, on both widths."""

import pytest
from playwright.sync_api import expect

from engine.commands.definitions import deploy
from engine.commands.reruns import advance
from engine.reruns import outcome as walking
from tests.integration.test_rerun_requests import BLOCKS, WARNS, worked
from tests.integration.test_reruns import begun, house_rule
from tests.support.journeys import looks_right, sign_in

ADDED = ['"assign"', '"normal"', '"volunteer"', "-", '"house.alone"', '"waiver"']


@pytest.mark.parametrize(("device", "width"), [("phone", 360), ("desktop", 1280)])
def test_what_a_change_would_have_done(served_site, visit, axe, shot, monkeypatch, device, width):
    site, address = served_site
    county = site.county
    monkeypatch.setattr(walking, "BATCH", 2)
    county.deploy(**{"house.dmn": house_rule(WARNS, ['"start"', "-", "-", "-", '"house.gone"', '"warn"'])})
    for urgency in ("normal", "soon", "urgent"):
        begun(county, urgency)
    county.pass_time(minutes=1)
    content = house_rule(BLOCKS, ADDED).replace(b'"house_r2"', b'"house_r3"')
    deploy(county.system, county.act("supervisor"), {"house.dmn": content}, now=county.now)
    page = visit(device, viewport={"width": width, "height": 900})
    sign_in(page, address, "supervisor")
    page.goto(f"{address}/definitions/house/2")
    page.get_by_role("link", name="这次改动会带来什么？").click()
    expect(page.locator("ins").first).to_be_visible()
    looks_right(page, axe, "main")
    shot(page, f"rerun-change-by-{device}")
    page.get_by_role("button", name="开始重算").click()
    expect(page.get_by_role("status")).to_have_text("就要开始……")
    advance(county.system, county.now)
    expect(page.get_by_role("status")).to_have_text("已看 2 / 6 件", timeout=15_000)  # by itself
    looks_right(page, axe, "main")
    shot(page, f"rerun-running-by-{device}")
    worked(county)
    expect(page.get_by_role("status")).to_have_text("算完了：6 个决定", timeout=15_000)
    expect(page.get_by_role("heading", name="结论会变的")).to_be_visible()
    expect(page.get_by_role("button", name="取消")).to_have_count(0)
    looks_right(page, axe, "main")
    shot(page, f"rerun-done-by-{device}")
