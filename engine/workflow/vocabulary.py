"""What the engine accepts of BPMN, word by word. Whatever is not listed here is refused: nothing is ever ignored silently."""

from dataclasses import dataclass

from engine.workflow.model import Kind, Trigger

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
ZEEBE = "http://camunda.org/schema/zeebe/1.0"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

# Namespaces that only draw or describe: their attributes and extension elements have no behaviour.
HARMLESS = frozenset(
    {
        XSI,
        "http://www.w3.org/XML/1998/namespace",
        "http://www.omg.org/spec/BPMN/20100524/DI",
        "http://www.omg.org/spec/DD/20100524/DI",
        "http://www.omg.org/spec/DD/20100524/DC",
        "http://www.omg.org/spec/BPMN/non-normative/color/1.0",
        "http://bpmn.io/schema/bpmn/biocolor/1.0",
        "http://camunda.org/schema/modeler/1.0",
        "http://www.signavio.com",
    }
)
FOREIGN = {
    "http://camunda.org/schema/1.0/bpmn": "Camunda 7",
    "http://activiti.org/bpmn": "Activiti",
    "http://activiti.com/modeler": "Activiti",
    "http://flowable.org/bpmn": "Flowable",
    "http://flowable.org/modeler": "Flowable",
    "http://spiffworkflow.org/bpmn/schema/1.0/core": "SpiffWorkflow",
    "http://www.jboss.org/drools": "jBPM",
}

# Attributes that are accepted with exactly these values: their default, or what the engine runs.
FIXED = {
    "isForCompensation": {"false"},
    "startQuantity": {"1"},
    "completionQuantity": {"1"},
    "triggeredByEvent": {"true", "false"},
    "isInterrupting": {"true", "false"},
    "isImmediate": {"true"},
    "implementation": {"##unspecified"},
    "gatewayDirection": {"Unspecified", "Converging", "Diverging", "Mixed"},
    "processType": {"None", "Public", "Private"},
    "isClosed": {"true", "false"},
    "parallelMultiple": {"false"},
    "associationDirection": {"None", "One", "Both"},
    "cancelActivity": {"true", "false"},
    "testBefore": {"true", "false"},
    "isSequential": {"true", "false"},
    "behavior": {"All"},
    "instantiate": {"false"},
    "eventGatewayType": {"Exclusive"},
    "isUnlimited": {"true", "false"},
    "isCollection": {"true", "false"},
}

_DESCRIBED = frozenset({"documentation", "extensionElements"})
_NODE = _DESCRIBED | {"incoming", "outgoing"}
# Data is drawing: `property` is what the stock editor puts at the end of an arrow from a data object.
_READS, _WRITES = frozenset({"property", "dataInputAssociation"}), frozenset({"dataOutputAssociation"})
_ACTIVITY = _NODE | _READS | _WRITES | {"standardLoopCharacteristics", "multiInstanceLoopCharacteristics"}
_WORK = frozenset({"isForCompensation", "startQuantity", "completionQuantity", "default"})

TRIGGERS = {
    "timerEventDefinition": Trigger.TIMER,
    "messageEventDefinition": Trigger.MESSAGE,
    "signalEventDefinition": Trigger.SIGNAL,
    "errorEventDefinition": Trigger.ERROR,
    "escalationEventDefinition": Trigger.ESCALATION,
    "conditionalEventDefinition": Trigger.CONDITION,
    "terminateEventDefinition": Trigger.TERMINATE,
    "linkEventDefinition": Trigger.LINK,
}


@dataclass(frozen=True)
class Word:
    """An XML element: the attributes besides id and name, the children, and the Zeebe extension elements it may have."""

    kind: Kind | None = None
    attributes: frozenset[str] = frozenset()
    children: frozenset[str] = _DESCRIBED
    extensions: frozenset[str] = frozenset({"properties"})


def _word(kind=None, attributes="", children=_DESCRIBED, extensions="properties") -> Word:
    return Word(kind, frozenset(attributes.split()), frozenset(children), frozenset(extensions.split()))


def _activity(kind, extensions="", attributes="") -> Word:
    return _word(kind, " ".join([*_WORK, attributes]), _ACTIVITY, f"properties ioMapping {extensions}")


def _event(kind, triggers, attributes="", data=_WRITES, extensions="") -> Word:
    definitions = {f"{trigger}EventDefinition" for trigger in triggers.split()}
    return _word(kind, attributes, _NODE | data | definitions, f"properties ioMapping {extensions}")


def _gateway(kind, attributes="") -> Word:
    return _word(kind, f"gatewayDirection {attributes}", _NODE)


_JOB = "taskDefinition taskHeaders"
NODES = {
    "startEvent": _event(Kind.START, "timer message signal error escalation conditional", "isInterrupting parallelMultiple"),
    "endEvent": _event(Kind.END, "message signal error escalation terminate", "", _READS, _JOB),
    "intermediateCatchEvent": _event(Kind.CATCH, "timer message signal conditional link", "parallelMultiple"),
    "intermediateThrowEvent": _event(Kind.THROW, "message signal escalation link", "", _READS, _JOB),
    "boundaryEvent": _event(
        Kind.BOUNDARY, "timer message signal conditional error escalation", "attachedToRef cancelActivity parallelMultiple"
    ),
    "task": _activity(Kind.TASK),
    "manualTask": _activity(Kind.MANUAL_TASK),
    "userTask": _activity(Kind.USER_TASK, "userTask formDefinition assignmentDefinition taskSchedule priorityDefinition", "implementation"),
    "scriptTask": _activity(Kind.SCRIPT_TASK, "script"),
    "businessRuleTask": _activity(Kind.BUSINESS_RULE_TASK, "calledDecision", "implementation"),
    "serviceTask": _activity(Kind.SERVICE_TASK, _JOB, "implementation"),
    "sendTask": _activity(Kind.SEND_TASK, _JOB, "implementation messageRef"),
    "receiveTask": _activity(Kind.RECEIVE_TASK, "", "implementation messageRef instantiate"),
    "callActivity": _activity(Kind.CALL_ACTIVITY, "calledElement"),
    "exclusiveGateway": _gateway(Kind.EXCLUSIVE, "default"),
    "inclusiveGateway": _gateway(Kind.INCLUSIVE, "default"),
    "parallelGateway": _gateway(Kind.PARALLEL),
    "eventBasedGateway": _gateway(Kind.EVENT_BASED, "instantiate eventGatewayType"),
}
_ARTIFACTS = frozenset({"textAnnotation", "association", "group"})
_DATA = frozenset({"dataObject", "dataObjectReference", "dataStoreReference"})
_SCOPE = _DESCRIBED | _ARTIFACTS | _DATA | {"laneSet", "sequenceFlow", "subProcess", *NODES}
NODES["subProcess"] = _word(Kind.SUBPROCESS, " ".join([*_WORK, "triggeredByEvent"]), _SCOPE | _ACTIVITY, "properties ioMapping")

# Definitions of a file that events refer to by id: word → the attribute of what refers to it.
DEFINITIONS = {"message": "messageRef", "signal": "signalRef", "error": "errorRef", "escalation": "escalationRef"}
# Attributes and elements that hold the id of something in the file, for what is only drawn.
REFERENCES = frozenset({"itemRef", "itemSubjectRef", "dataObjectRef", "dataStoreRef", "categoryValueRef", "sourceRef", "targetRef"})

WORDS = NODES | {
    "definitions": _word(
        None,
        "targetNamespace exporter exporterVersion expressionLanguage typeLanguage",
        _DESCRIBED | {"process", "collaboration", "category", "itemDefinition", "dataStore", *DEFINITIONS},
    ),
    "process": _word(None, "isExecutable processType isClosed", _SCOPE, "properties versionTag"),
    "collaboration": _word(None, "isClosed", _DESCRIBED | _ARTIFACTS | {"participant", "messageFlow"}),
    "participant": _word(None, "processRef"),
    "messageFlow": _word(None, "sourceRef targetRef messageRef"),
    "category": _word(None, "", _DESCRIBED | {"categoryValue"}),
    "categoryValue": _word(None, "value"),
    "message": _word(None, "itemRef", extensions="properties subscription"),
    "signal": _word(None, "structureRef"),
    "error": _word(None, "errorCode structureRef"),
    "escalation": _word(None, "escalationCode structureRef"),
    "itemDefinition": _word(None, "structureRef isCollection itemKind"),
    "dataStore": _word(None, "capacity isUnlimited itemSubjectRef", _DESCRIBED | {"dataState"}),
    "dataObject": _word(None, "isCollection itemSubjectRef", _DESCRIBED | {"dataState"}),
    "dataObjectReference": _word(None, "dataObjectRef itemSubjectRef", _DESCRIBED | {"dataState"}),
    "dataStoreReference": _word(None, "dataStoreRef itemSubjectRef", _DESCRIBED | {"dataState"}),
    "dataState": _word(),
    "dataInputAssociation": _word(None, "", _DESCRIBED | {"sourceRef", "targetRef"}),
    "dataOutputAssociation": _word(None, "", _DESCRIBED | {"sourceRef", "targetRef"}),
    "sourceRef": _word(children=()),
    "targetRef": _word(children=()),
    "property": _word(),
    "laneSet": _word(None, "", _DESCRIBED | {"lane"}),
    "childLaneSet": _word(None, "", _DESCRIBED | {"lane"}),
    "lane": _word(None, "", _DESCRIBED | {"flowNodeRef", "childLaneSet"}),
    "flowNodeRef": _word(children=()),
    "incoming": _word(children=()),
    "outgoing": _word(children=()),
    "documentation": _word(None, "textFormat", ()),
    "sequenceFlow": _word(None, "sourceRef targetRef isImmediate", _DESCRIBED | {"conditionExpression"}),
    "conditionExpression": _word(None, "language", ()),
    "textAnnotation": _word(None, "textFormat", _DESCRIBED | {"text"}),
    "text": _word(children=()),
    "association": _word(None, "sourceRef targetRef associationDirection"),
    "group": _word(None, "categoryValueRef"),
    "timerEventDefinition": _word(None, "", _DESCRIBED | {"timeDate", "timeDuration", "timeCycle"}),
    "messageEventDefinition": _word(None, "messageRef"),
    "signalEventDefinition": _word(None, "signalRef"),
    "errorEventDefinition": _word(None, "errorRef"),
    "escalationEventDefinition": _word(None, "escalationRef"),
    "conditionalEventDefinition": _word(None, "", _DESCRIBED | {"condition"}),
    "linkEventDefinition": _word(),
    "terminateEventDefinition": _word(),
    "condition": _word(None, "language", ()),
    "timeDate": _word(None, "language", ()),
    "timeDuration": _word(None, "language", ()),
    "timeCycle": _word(None, "language", ()),
    "standardLoopCharacteristics": _word(None, "testBefore loopMaximum", _DESCRIBED | {"loopCondition"}),
    "loopCondition": _word(None, "language", ()),
    "multiInstanceLoopCharacteristics": _word(
        None, "isSequential behavior", _DESCRIBED | {"completionCondition"}, "properties loopCharacteristics"
    ),
    "completionCondition": _word(None, "language", ()),
}
PLACEHOLDER = "__targetRef_placeholder"  # the only `property` that is accepted

FORMAL = frozenset({"tFormalExpression", "tExpression"})  # values of xsi:type
TIMER_PARTS = {"timeDate": "date", "timeDuration": "duration", "timeCycle": "cycle"}

# Zeebe's extension elements and their attributes; children only where listed below.
EXTENSIONS = {
    "properties": frozenset(),
    "property": frozenset({"id", "name", "value"}),
    "ioMapping": frozenset(),
    "input": frozenset({"source", "target"}),
    "output": frozenset({"source", "target"}),
    "userTask": frozenset(),
    "formDefinition": frozenset({"formId", "bindingType"}),
    "assignmentDefinition": frozenset({"assignee", "candidateGroups", "candidateUsers"}),
    "taskSchedule": frozenset({"dueDate", "followUpDate"}),
    "priorityDefinition": frozenset({"priority"}),
    "script": frozenset({"expression", "resultVariable"}),
    "calledDecision": frozenset({"decisionId", "resultVariable", "bindingType"}),
    "versionTag": frozenset({"value"}),
    "subscription": frozenset({"correlationKey"}),
    "taskDefinition": frozenset({"type", "retries"}),
    "taskHeaders": frozenset(),
    "header": frozenset({"id", "key", "value"}),
    "calledElement": frozenset({"processId", "propagateAllParentVariables", "propagateAllChildVariables", "bindingType"}),
    "loopCharacteristics": frozenset({"inputCollection", "inputElement", "outputCollection", "outputElement"}),
}
EXTENSION_CHILDREN = {"properties": {"property"}, "ioMapping": {"input", "output"}, "taskHeaders": {"header"}}
EXTENSION_ATTRIBUTES = frozenset({"modelerTemplate", "modelerTemplateVersion", "modelerTemplateIcon"})
