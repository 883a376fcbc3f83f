"""What is deployed together: several procedures in one diagram, procedures that call one another."""

import pytest

from engine import definitions
from engine.commands.definitions import deploy, publish
from engine.exceptions import DeployRefused
from tests.bpmn.builder import HEAD, Diagram
from tests.integration.test_calls import caller, inner
from tests.integration.test_cases import ASSIGN
from tests.integration.test_messages import asking, begun, cases_of, files


def two_pools() -> dict:
    """A buyer orders of a shop, which delivers; message flows are drawn, messages are sent."""
    buyer = asking("buyer")
    given = '<zeebe:ioMapping><zeebe:input source="=n" target="n"/></zeebe:ioMapping>'
    buyer.event("intermediateThrowEvent", "order", "message", "order", key="n", zeebe=given)
    buyer.event("intermediateCatchEvent", "goods", "message", "goods", key="n")
    buyer.user("enjoy", ASSIGN), buyer.path("ask", "order", "goods", "enjoy", "end")
    shop = Diagram("shop")
    shop.event("startEvent", "ordered", "message", "order", key="n"), shop.user("pack", ASSIGN)
    shop.event("endEvent", "sent", "message", "goods", key="n"), shop.path("ordered", "pack", "sent")
    pools = (
        '  <bpmn:collaboration id="both"><bpmn:participant id="p1" processRef="buyer"/><bpmn:participant id="p2" processRef="shop"/>'
        '<bpmn:messageFlow id="m1" sourceRef="order" targetRef="ordered"/></bpmn:collaboration>\n'
    )
    named = buyer.definitions | shop.definitions
    xml = HEAD + "".join(named.values()) + pools + buyer.process() + shop.process() + "</bpmn:definitions>\n"
    return files(buyer) | files(shop) | {"buyer.bpmn": xml.encode()}


def test_each_pool_becomes_a_definition_and_they_talk(county):
    bundle = {name: content for name, content in two_pools().items() if name != "shop.bpmn"}
    content = {name: text.encode() if isinstance(text, str) else text for name, text in bundle.items()}
    answer = deploy(county.system, county.act("supervisor"), content, now=county.now)
    assert (answer["key"], [each["key"] for each in answer["definitions"]]) == ("buyer", ["buyer", "shop"])
    for each in answer["definitions"]:
        publish(county.system, county.act("supervisor"), each["key"], each["number"], now=county.now)
    with county.system.database.read() as session:
        held = [definitions.resources(session, each["id"]) for each in answer["definitions"]]
    assert held[0] == held[1] == content
    buyer = begun(county, "buyer", 7)
    [shop] = cases_of(county, "shop")
    variables = county.variables(shop)
    assert (variables["placeName"], int(variables["n"])) == ("张庄村", 7), "it begins where it was asked for, with what the message brings"
    assert list(county.open_tasks(buyer)) == []
    county.do("ft-01-1", shop, "pack")
    assert list(county.open_tasks(buyer)) == ["enjoy"]
    assert county.faults() == []


def refused(county, diagram: Diagram) -> DeployRefused:
    content = {name: text.encode() if isinstance(text, str) else text for name, text in files(diagram).items()}
    with pytest.raises(DeployRefused) as refusal:
        deploy(county.system, county.act("supervisor"), content, now=county.now)
    return refusal.value


def test_a_ring_of_calls_is_refused_and_named(county):
    assert "outer → outer" in refused(county, caller("outer")).findings[0].message
    county.deploy(**files(caller("outer", "middle")))
    county.deploy(**files(caller("middle", "last")))
    finding = refused(county, caller("last", "outer")).findings[0]
    assert (finding.code, finding.element) == ("call_ring", "visit")
    assert "outer → last → middle → outer" in finding.message


def test_a_ring_that_closes_while_a_draft_waits_is_refused_when_it_is_published(county):
    content = {name: text.encode() if isinstance(text, str) else text for name, text in files(caller("outer", "inner")).items()}
    draft = deploy(county.system, county.act("supervisor"), content, now=county.now)
    county.deploy(**files(caller("inner", "outer")))
    with pytest.raises(DeployRefused):
        publish(county.system, county.act("supervisor"), "inner", draft["number"], now=county.now)


def test_a_call_of_nothing_is_a_warning(county):
    content = {name: text.encode() if isinstance(text, str) else text for name, text in files(caller()).items()}
    answer = deploy(county.system, county.act("supervisor"), content, now=county.now)
    assert [(each["code"], each["element"]) for each in answer["warnings"]] == [("call_unknown", "visit")]
    county.deploy(**files(inner()))
    assert deploy(county.system, county.act("supervisor"), content, now=county.now)["warnings"] == []
