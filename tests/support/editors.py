"""The stock editors, in a browser, as oracles: Camunda's modeller for diagrams, form-js's viewer for forms.

Their files come from node_modules by way of an address that exists only inside the browser.
"""

import mimetypes

import pytest
from playwright.sync_api import Page, Route

from tests.support.browsers import PACKAGES, SCREENSHOTS

ORIGIN = "http://stock.test"

MODELER = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>modeler</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/camunda-bpmn-js/dist/assets/camunda-cloud-modeler.css">
<style>html, body, #canvas { height: 100%; margin: 0 } #panel { position: fixed; right: 0; top: 0; width: 300px; bottom: 0 }</style>
<div id="canvas"></div><div id="panel"></div>
<script src="/camunda-bpmn-js/dist/camunda-cloud-modeler.production.min.js"></script>
<script>modeler = new BpmnModeler({container: '#canvas', propertiesPanel: {parent: '#panel'}})</script></html>"""

VIEWER = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>form</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/@bpmn-io/form-js/dist/assets/form-js.css">
<div id="form"></div>
<script src="/@bpmn-io/form-js/dist/form-viewer.umd.js"></script></html>"""


@pytest.fixture
def stock_modeler(visit) -> "StockModeler":
    """Camunda 8's modeller (camunda-bpmn-js, the cloud modeler)."""
    return StockModeler(_open(visit("desktop"), MODELER))


@pytest.fixture
def stock_viewer(visit) -> "StockViewer":
    """form-js's viewer."""
    return StockViewer(_open(visit("desktop"), VIEWER))


class StockModeler:
    def __init__(self, page: Page):
        self.page = page

    def open(self, xml: str) -> list[str]:
        """Imports a diagram; returns the warnings. Raises where the modeller cannot read it at all."""
        return self.page.evaluate(
            """xml => modeler.importXML(xml).then(({warnings}) => {
                modeler.get('canvas').zoom('fit-viewport'); return warnings.map(warning => warning.message)
            })""",
            xml,
        )

    def saved(self) -> str:
        """The diagram as the modeller writes it."""
        return self.page.evaluate("modeler.saveXML({format: true}).then(({xml}) => xml)")

    def picture(self, name: str) -> None:
        """Keeps var/screenshots/<name>.png of the canvas."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


class StockViewer:
    def __init__(self, page: Page):
        self.page = page

    def submit(self, schema: dict, data: dict, typed: dict | None = None) -> dict:
        """Shows the form with `data`, changes the fields in `typed` (by key), submits: `{"data": …, "errors": {field id: […]}}`."""
        return self.page.evaluate(
            """async ([schema, data, typed]) => {
                document.querySelector('#form').replaceChildren()
                const form = new FormViewer.Form({container: '#form'})
                const {warnings} = await form.importSchema(schema, data)
                for (const field of form.get('formFieldRegistry').getAll())
                    if (field.key in typed) form._update({fieldInstance: instance(form, field), field, value: typed[field.key]})
                await new Promise(drawn => requestAnimationFrame(() => setTimeout(drawn)))  // a field shown anew registers when drawn
                const result = form.submit()
                form.destroy()
                return {data: result.data, errors: result.errors, warnings: warnings.map(String)}

                function instance(form, field) {
                    return form.get('formFieldInstanceRegistry').getAll().find(one => one.id === field.id)
                }
            }""",
            [schema, data, typed or {}],
        )


def _open(page: Page, html: str) -> Page:
    def serve(route: Route) -> None:
        path = route.request.url.removeprefix(ORIGIN).partition("?")[0]
        if path == "/":
            route.fulfill(body=html, content_type="text/html")
        else:
            file = PACKAGES / path.lstrip("/")
            route.fulfill(body=file.read_bytes(), content_type=mimetypes.guess_type(file.name)[0] or "application/octet-stream")

    page.route(f"{ORIGIN}/**", serve)
    page.goto(f"{ORIGIN}/")
    return page


