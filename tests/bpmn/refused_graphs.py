"""name → (file, code, element) of what is refused: references that lead nowhere, and graphs that cannot run as drawn."""

from tests.bpmn.snippets import FLOW, USER, boundary, condition, file, node, split, sub, timer

REFUSED = {
    # the graph
    "flow from nowhere": (file(more=FLOW.format("f3", "x", "end", "/>")), "dangling_reference", "f3"),
    "flow to nowhere": (file(more=FLOW.format("f3", "u", "x", "/>")), "dangling_reference", "f3"),
    "incoming that is not": (file(USER.format("", "<bpmn:incoming>f9</bpmn:incoming>")), "dangling_reference", "u"),
    "outgoing of another": (file(USER.format("", "<bpmn:outgoing>f1</bpmn:outgoing>")), "inconsistent_flow", "u"),
    "outgoing that lacks one": (
        file(USER.format("", "<bpmn:outgoing>f2</bpmn:outgoing>"), '<bpmn:endEvent id="a"/>' + FLOW.format("f3", "u", "a", "/>")),
        "inconsistent_flow",
        "u",
    ),
    "lane of nothing": (
        file(more='<bpmn:laneSet id="ls"><bpmn:lane id="l"><bpmn:flowNodeRef>x</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>'),
        "dangling_reference",
        "l",
    ),
    "association of nothing": (file(more='<bpmn:association id="a1" sourceRef="u" targetRef="x"/>'), "dangling_reference", "a1"),
    "group of nothing": (file(more='<bpmn:group id="g1" categoryValueRef="x"/>'), "dangling_reference", "g1"),
    "boundary of nothing": (file(more=boundary(timer("PT1H"), 'attachedToRef="x"')), "dangling_reference", "b"),
    "boundary of an event": (file(more=boundary(timer("PT1H"), 'attachedToRef="end"')), "bad_host", "b"),
    "boundary of what does not wait": (file(node("manualTask"), boundary(timer("PT1H"))), "bad_host", "b"),
    "boundary of a gateway": (file(node("parallelGateway"), boundary(timer("PT1H"))), "bad_host", "b"),
    "into a boundary": (file(more=boundary(timer("PT1H")) + FLOW.format("f4", "u", "b", "/>")), "flow_into_boundary", "b"),
    "out of a subprocess": (
        sub('<bpmn:startEvent id="s"/>' + FLOW.format("f3", "s", "end", "/>")),
        "crosses_border",
        "f3",
    ),
    "into the start": (file(more=FLOW.format("f3", "u", "start", "/>")), "flow_into_start", "start"),
    "out of the end": (file(more=FLOW.format("f3", "end", "u", "/>")), "flow_out_of_end", "end"),
    "no start": (file().replace(b'<bpmn:startEvent id="start"/>', b'<bpmn:task id="start"/>'), "no_start", "p"),
    "two starts": (file(more='<bpmn:startEvent id="s2"/>' + FLOW.format("f3", "s2", "u", "/>")), "several_starts", "s2"),
    "subprocess without start": (sub('<bpmn:endEvent id="e"/>'), "no_start", "u"),
    "empty subprocess": (sub(""), "no_start", "u"),
    "subprocess with timer start": (
        sub(
            f'<bpmn:startEvent id="s">{timer("R/PT1H", "Cycle")}</bpmn:startEvent><bpmn:endEvent id="e"/>'
            + FLOW.format("f3", "s", "e", "/>")
        ),
        "bad_start",
        "s",
    ),
    "unreachable": (file(more='<bpmn:task id="t"/>'), "unreachable", "t"),
    "no end": (
        split("exclusiveGateway", "/>", "/>").replace(b'targetRef="end"', b'targetRef="u"').replace(b'targetRef="a"', b'targetRef="u"'),
        "no_end",
        "start",
    ),
    # conditions
    "condition after an event": (
        file(node("intermediateCatchEvent", timer("PT1H"))).replace(
            FLOW.format("f2", "u", "end", "/>").encode(), FLOW.format("f2", "u", "end", condition("=x")).encode()
        ),
        "idle_condition",
        "f2",
    ),
    "condition on a parallel gateway": (split("parallelGateway", condition("=x")), "idle_condition", "f2"),
    "condition on the default": (split("exclusiveGateway", condition("=x"), "/>", 'default="f2"'), "idle_condition", "f2"),
    "no condition": (split("exclusiveGateway", condition("=x")), "missing_condition", "f3"),
    "no condition, inclusive": (split("inclusiveGateway", condition("=x")), "missing_condition", "f3"),
    "empty condition": (split("exclusiveGateway", condition(""), "/>", 'default="f3"'), "empty_condition", "f2"),
    "default of a task": (split("task", "/>", "/>", 'default="f2"'), "idle_default", "u"),
    "default of a parallel gateway": (split("parallelGateway", "/>", "/>", 'default="f2"'), "unsupported_attribute", "u"),
    "default that is not": (split("exclusiveGateway", condition("=x"), condition("=y"), 'default="f9"'), "dangling_reference", "u"),
}
