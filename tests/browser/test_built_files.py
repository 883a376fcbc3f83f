"""The built front-end files work on a page with our strictest content security policy."""

import pytest

from tests.browser.test_stock_editors import DIAGRAM
from tests.support.browsers import ROOT

pytestmark = pytest.mark.browser

VENDOR = ROOT / "webapp" / "static" / "vendor"
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:"
HTML = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>built</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/bpmn-js/diagram-js.css"><link rel="stylesheet" href="/bpmn-js/bpmn-js.css">
<div id="canvas"></div><script src="/feelin.js"></script><script src="/bpmn-js/bpmn-navigated-viewer.production.min.js"></script></html>"""
TYPES = {".js": "text/javascript", ".css": "text/css"}


@pytest.fixture
def strict_page(desktop):
    def serve(route):
        path = route.request.url.removeprefix("http://built.test/")
        headers = {"Content-Security-Policy": POLICY}
        if path:
            file = VENDOR / path
            route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix], headers=headers)
        else:
            route.fulfill(body=HTML, content_type="text/html", headers=headers)

    desktop.route("http://built.test/**", serve)
    desktop.goto("http://built.test/")
    return desktop


def test_feelin_is_a_global(strict_page):
    answer = strict_page.evaluate("feelin.evaluate('年龄 >= 18 and 姓名 != null', {'年龄': 20, '姓名': '张三'})")
    assert answer.get("value", answer) is True


def test_the_viewer_draws_a_diagram(strict_page):
    strict_page.evaluate("xml => (viewer = new BpmnJS({container: '#canvas'})).importXML(xml)", DIAGRAM)
    assert strict_page.locator("[data-element-id=task]").count() == 1
    assert strict_page.locator(".bjs-powered-by").is_visible(), "the licence wants the mark seen"
