"""Small diagrams around one faulty part: `start → u → end`, with `u` as what is looked at."""

from tests.bpmn.builder import HEAD

FLOW = '<bpmn:sequenceFlow id="{0}" sourceRef="{1}" targetRef="{2}"{3}'
USER = '<bpmn:userTask id="u"><bpmn:extensionElements><zeebe:formDefinition formId="f"/>{0}</bpmn:extensionElements>{1}</bpmn:userTask>'


def file(
    middle: str = USER.format("", ""), more: str = "", before: str = "", process: str = 'id="p" isExecutable="true"', head: str = HEAD
) -> bytes:
    """start → u → end, with `middle` as what `u` is and `more` beside it."""
    flows = FLOW.format("f1", "start", "u", "/>") + FLOW.format("f2", "u", "end", "/>")
    body = f'<bpmn:startEvent id="start"/>{middle}<bpmn:endEvent id="end"/>{flows}{more}'
    return f"{head}{before}<bpmn:process {process}>{body}</bpmn:process></bpmn:definitions>".encode()


def node(tag: str, inner: str = "", attributes: str = "") -> str:
    """The element `u`."""
    return f'<bpmn:{tag} id="u" {attributes}>{inner}</bpmn:{tag}>'


def ext(xml: str) -> str:
    """Extension elements."""
    return f"<bpmn:extensionElements>{xml}</bpmn:extensionElements>"


def boundary(inner: str, attributes: str = 'attachedToRef="u"', identity: str = "b") -> str:
    """A boundary event of `u` that leads to the end."""
    return f'<bpmn:boundaryEvent id="{identity}" {attributes}>{inner}</bpmn:boundaryEvent>' + FLOW.format(
        f"from_{identity}", identity, "end", "/>"
    )


def timer(text: str, kind: str = "Duration") -> str:
    """A timer definition."""
    part = f'<bpmn:time{kind} xsi:type="bpmn:tFormalExpression">{text}</bpmn:time{kind}>' if kind else ""
    return f"<bpmn:timerEventDefinition>{part}</bpmn:timerEventDefinition>"


def split(gateway: str, first: str = "/>", second: str = "/>", attributes: str = "") -> bytes:
    """start → gateway u → a, end."""
    more = '<bpmn:endEvent id="a"/>' + FLOW.format("f3", "u", "a", second)
    return file(node(gateway, "", attributes), more).replace(
        FLOW.format("f2", "u", "end", "/>").encode(), FLOW.format("f2", "u", "end", first).encode()
    )


def condition(text: str, attributes: str = "") -> str:
    """The rest of a flow with a condition."""
    return f'><bpmn:conditionExpression xsi:type="bpmn:tFormalExpression"{attributes}>{text}</bpmn:conditionExpression></bpmn:sequenceFlow>'


def sub(inner: str, attributes: str = "") -> bytes:
    """A subprocess `u`."""
    return file(node("subProcess", inner, attributes))


def defined(word: str, name: str = "x", inner: str = "") -> str:
    """A message or the like, with the id `d`."""
    attribute = f"{word}Code" if word in ("error", "escalation") else "name"
    return f'<bpmn:{word} id="d" {attribute}="{name}">{inner}</bpmn:{word}>'


def event(word: str, reference: str = "d") -> str:
    """What an event refers to."""
    return f'<bpmn:{word}EventDefinition {word}Ref="{reference}"/>'


KEY = '<bpmn:extensionElements><zeebe:subscription correlationKey="=k"/></bpmn:extensionElements>'
LETTER = defined("message", inner=KEY)


def watcher(start: str, attributes: str = 'triggeredByEvent="true"', more: str = "", start_attributes: str = "", before: str = "") -> bytes:
    """An event subprocess `w` whose start event `s` has the trigger `start`."""
    inner = f'<bpmn:startEvent id="s" {start_attributes}>{start}</bpmn:startEvent><bpmn:endEvent id="e"/>' + FLOW.format(
        "f9", "s", "e", "/>"
    )
    return file(more=f'<bpmn:subProcess id="w" {attributes}>{inner}{more}</bpmn:subProcess>', before=before)


def beside(tag: str, inner: str, before: str = "", identity: str = "x", attributes: str = "") -> bytes:
    """Another start or end event `x` beside `u`."""
    flow = FLOW.format("f8", identity, "u", "/>") if tag == "startEvent" else FLOW.format("f8", "u", identity, "/>")
    return file(more=f'<bpmn:{tag} id="{identity}" {attributes}>{inner}</bpmn:{tag}>{flow}', before=before)


def race(first: str, more: str = "", before: str = LETTER) -> bytes:
    """An event-based gateway `u` that leads to `first`, called `a`, and to a timer."""
    clock = f'<bpmn:intermediateCatchEvent id="t">{timer("PT1H")}</bpmn:intermediateCatchEvent>'
    flows = FLOW.format("f3", "u", "a", "/>") + FLOW.format("f4", "a", "end", "/>") + FLOW.format("f5", "t", "end", "/>")
    made = file(node("eventBasedGateway"), first + clock + flows + more, before)
    return made.replace(FLOW.format("f2", "u", "end", "/>").encode(), FLOW.format("f2", "u", "t", "/>").encode())


def many(inner: str, condition: str = "", attributes: str = "", more: str = "") -> bytes:
    """A user task `u` for many; `inner`: attributes of zeebe:loopCharacteristics."""
    box = ext(f"<zeebe:loopCharacteristics {inner}/>") if inner else ""
    characteristics = f"<bpmn:multiInstanceLoopCharacteristics {attributes}>{box}{condition}</bpmn:multiInstanceLoopCharacteristics>"
    return file(USER.format("", more + characteristics))


def service(zeebe: str, tag: str = "serviceTask", attributes: str = "") -> bytes:
    """A service task `u`."""
    return file(node(tag, ext(zeebe), attributes))


def pools(inner: str, more: str = "") -> bytes:
    """A collaboration before the process."""
    return file(before=f'<bpmn:collaboration id="c"><bpmn:participant id="pool" processRef="p"/>{inner}</bpmn:collaboration>{more}')


def script(expression: str = "=1", variable: str = "r") -> bytes:
    """A script task `u`."""
    return file(node("scriptTask", ext(f'<zeebe:script expression="{expression}" resultVariable="{variable}"/>')))


CAMUNDA7 = HEAD.replace(' id="', ' xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:x="urn:x" id="', 1)
LOOP = "<bpmn:standardLoopCharacteristics{0}>{1}</bpmn:standardLoopCharacteristics>"
NEVER = ["compensate", "cancel"]
MISPLACED = {
    "startEvent": ["link", "terminate"],
    "endEvent": ["timer", "conditional", "link"],
    "intermediateCatchEvent": ["error", "escalation", "terminate"],
    "intermediateThrowEvent": ["timer", "conditional", "error", "terminate"],
    "boundaryEvent": ["link", "terminate"],
}
CALL = '<zeebe:calledElement processId="q" {0}/>'
DEF = "<bpmn:{0}EventDefinition/>"
