"""The README's pictures, taken anew: `make pictures`. Not a test; `make test` does not collect it."""

from engine.commands.clients import register
from tests.support.browsers import ROOT, eventually
from tests.support.journeys import fill, likely, sign_in

PICTURES = ROOT / "docs" / "pictures"
STEPS = [
    ("assistant-001", "visit", {}),
    ("ft-01-1", "first_response", {}),
    ("ft-01-1", "intake", {}),
    ("ft-01-1", "assessment", {"risk": "medium"}),
    ("ft-01-1", "plan", {}),
    ("lead-01", "approve_plan", {}),
]


def test_take_pictures(served_site, visit):
    site, address = served_site
    desktop = visit("desktop", viewport={"width": 1280, "height": 1000})
    case = case_after(site.county, STEPS)
    sign_in(desktop, address, "ft-01-1")
    desktop.goto(f"{address}/cases/{case}")
    assert eventually(lambda: desktop.locator(".djs-container .case-here").count())
    desktop.screenshot(path=PICTURES / "case.png")
    phone = visit("phone", viewport={"width": 360, "height": 780})
    case = case_after(site.county, STEPS[:3])
    sign_in(phone, address, "ft-01-1")
    phone.goto(f"{address}/tasks/{site.county.open_tasks(case)['assessment'].id}")
    phone.get_by_role("button", name="领取", exact=True).click()
    fill(phone, {"needs": ["care", "mental"], "risk": "medium"})
    phone.evaluate("document.querySelector('[name=risk]').scrollIntoView({block: 'center'})")
    phone.screenshot(path=PICTURES / "phone.png")


def case_after(county, steps) -> str:
    """A case of a client's, after these steps."""
    person = {"name": "张秀兰", "birth_date": "1950-05-01", "gender": "female", "categories": ["disabled_elder"]}
    client = register(county.system, county.act("ft-01-1"), person, "room-001", now=county.now)["id"]
    case = county.start("service_delivery", client_id=client)["id"]
    for who, element, wishes in steps:
        county.pass_time(hours=20)
        county.do(who, case, element, likely(element, county.now, clientName="张秀兰", **wishes))
    return case
