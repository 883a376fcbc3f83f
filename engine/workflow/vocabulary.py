"""What the engine accepts of BPMN, word by word. Whatever is not listed here is refused: nothing is ever ignored silently."""

from dataclasses import dataclass

from engine.workflow.model import Kind

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

# Attributes that are accepted with exactly this value: their default, or what changes nothing.
FIXED = {
    "isForCompensation": {"false"},
    "startQuantity": {"1"},
    "completionQuantity": {"1"},
    "triggeredByEvent": {"false"},
    "isInterrupting": {"true"},
    "isImmediate": {"true"},
    "implementation": {"##unspecified"},
    "gatewayDirection": {"Unspecified", "Converging", "Diverging", "Mixed"},
    "processType": {"None", "Public", "Private"},
    "isClosed": {"true", "false"},
    "parallelMultiple": {"false"},
    "associationDirection": {"None", "One", "Both"},
    "cancelActivity": {"true", "false"},
    "testBefore": {"true", "false"},
}

_DESCRIBED = frozenset({"documentation", "extensionElements"})
_NODE = _DESCRIBED | {"incoming", "outgoing"}
_ACTIVITY = _NODE | {"standardLoopCharacteristics"}
_WORK = frozenset({"isForCompensation", "startQuantity", "completionQuantity", "default"})


@dataclass(frozen=True)
class Word:
    """An XML element: the attributes besides id and name, the children, and the Zeebe extension elements it may have."""

    kind: Kind | None = None
    attributes: frozenset[str] = frozenset()
    children: frozenset[str] = _DESCRIBED
    extensions: frozenset[str] = frozenset({"properties"})


def _word(kind=None, attributes="", children=_DESCRIBED, extensions="properties") -> Word:
    return Word(kind, frozenset(attributes.split()), frozenset(children), frozenset(extensions.split()))


def _activity(kind, extensions="properties ioMapping", attributes="") -> Word:
    return _word(kind, " ".join([*_WORK, attributes]), _ACTIVITY, extensions)


def _event(kind=None, attributes="") -> Word:
    return _word(kind, attributes, _NODE | {"timerEventDefinition"}, "properties ioMapping")


def _gateway(kind, attributes="gatewayDirection") -> Word:
    return _word(kind, attributes, _NODE)


# Events get their final kind from the definition inside them.
NODES = {
    "startEvent": _event(Kind.START, "isInterrupting parallelMultiple"),
    "endEvent": _word(Kind.END, "", _NODE | {"terminateEventDefinition"}, "properties ioMapping"),
    "intermediateCatchEvent": _event(Kind.TIMER_CATCH, "parallelMultiple"),
    "boundaryEvent": _event(Kind.TIMER_BOUNDARY, "attachedToRef cancelActivity parallelMultiple"),
    "task": _activity(Kind.TASK),
    "manualTask": _activity(Kind.MANUAL_TASK),
    "userTask": _activity(
        Kind.USER_TASK,
        "properties ioMapping userTask formDefinition assignmentDefinition taskSchedule priorityDefinition",
        "implementation",
    ),
    "scriptTask": _activity(Kind.SCRIPT_TASK, "properties ioMapping script"),
    "businessRuleTask": _activity(Kind.BUSINESS_RULE_TASK, "properties ioMapping calledDecision", "implementation"),
    "exclusiveGateway": _gateway(Kind.EXCLUSIVE, "gatewayDirection default"),
    "inclusiveGateway": _gateway(Kind.INCLUSIVE, "gatewayDirection default"),
    "parallelGateway": _gateway(Kind.PARALLEL),
}
_ARTIFACTS = frozenset({"textAnnotation", "association", "group"})
_SCOPE = _DESCRIBED | _ARTIFACTS | {"laneSet", "sequenceFlow", "subProcess", *NODES}
NODES["subProcess"] = _word(
    Kind.SUBPROCESS, " ".join([*_WORK, "triggeredByEvent"]), _SCOPE | _ACTIVITY, "properties ioMapping"
)

WORDS = NODES | {
    "definitions": _word(
        None,
        "targetNamespace exporter exporterVersion expressionLanguage typeLanguage",
        _DESCRIBED | {"process", "collaboration", "category", "message", "signal", "error", "escalation", "itemDefinition"},
    ),
    "process": _word(None, "isExecutable processType isClosed", _SCOPE, "properties versionTag"),
    "collaboration": _word(None, "isClosed", _DESCRIBED | _ARTIFACTS | {"participant"}),
    "participant": _word(None, "processRef"),
    "category": _word(None, "", _DESCRIBED | {"categoryValue"}),
    "categoryValue": _word(None, "value"),
    "message": _word(None, "itemRef", extensions="properties subscription"),
    "signal": _word(None, "structureRef"),
    "error": _word(None, "errorCode structureRef"),
    "escalation": _word(None, "escalationCode structureRef"),
    "itemDefinition": _word(None, "structureRef isCollection itemKind"),
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
    "terminateEventDefinition": _word(),
    "timeDate": _word(None, "language", ()),
    "timeDuration": _word(None, "language", ()),
    "timeCycle": _word(None, "language", ()),
    "standardLoopCharacteristics": _word(None, "testBefore loopMaximum", _DESCRIBED | {"loopCondition"}),
    "loopCondition": _word(None, "language", ()),
}

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
}
EXTENSION_CHILDREN = {"properties": {"property"}, "ioMapping": {"input", "output"}}
EXTENSION_ATTRIBUTES = frozenset({"modelerTemplate", "modelerTemplateVersion", "modelerTemplateIcon"})

# What people may well have drawn, in their words.
REFUSED = {
    "callActivity": ("调用活动", "call activity"),
    "serviceTask": ("服务任务", "service task"),
    "sendTask": ("发送任务", "send task"),
    "receiveTask": ("接收任务", "receive task"),
    "transaction": ("事务子流程", "transaction"),
    "adHocSubProcess": ("自由子流程", "ad-hoc subprocess"),
    "complexGateway": ("复杂网关", "complex gateway"),
    "eventBasedGateway": ("事件网关", "event-based gateway"),
    "intermediateThrowEvent": ("中间抛出事件", "intermediate throw event"),
    "messageEventDefinition": ("消息事件", "message event"),
    "signalEventDefinition": ("信号事件", "signal event"),
    "errorEventDefinition": ("错误事件", "error event"),
    "escalationEventDefinition": ("升级事件", "escalation event"),
    "conditionalEventDefinition": ("条件事件", "conditional event"),
    "linkEventDefinition": ("链接事件", "link event"),
    "compensateEventDefinition": ("补偿事件", "compensation event"),
    "cancelEventDefinition": ("取消事件", "cancel event"),
    "eventDefinitionRef": ("引用的事件定义", "reference to an event definition"),
    "multiInstanceLoopCharacteristics": ("多实例", "multi-instance"),
    "dataObject": ("数据对象", "data object"),
    "dataObjectReference": ("数据对象", "data object"),
    "dataStore": ("数据存储", "data store"),
    "dataStoreReference": ("数据存储", "data store"),
    "dataInputAssociation": ("数据输入关联", "data input association"),
    "dataOutputAssociation": ("数据输出关联", "data output association"),
    "ioSpecification": ("输入输出声明", "input/output specification"),
    "property": ("BPMN 属性", "BPMN property"),
    "messageFlow": ("消息流", "message flow"),
    "choreography": ("编排", "choreography"),
    "script": ("BPMN 脚本(请改用 FEEL 脚本)", "BPMN script (use a FEEL script)"),
    "humanPerformer": ("执行人声明(请改用候选组)", "human performer (use candidate groups)"),
    "potentialOwner": ("潜在所有者(请改用候选组)", "potential owner (use candidate groups)"),
    "performer": ("执行人声明(请改用候选组)", "performer (use candidate groups)"),
    "resourceRole": ("资源角色(请改用候选组)", "resource role (use candidate groups)"),
    "taskDefinition": ("外部作业", "job worker"),
    "taskHeaders": ("任务头(请改用扩展属性)", "task headers (use extension properties)"),
    "executionListeners": ("执行监听器", "execution listeners"),
    "taskListeners": ("任务监听器", "task listeners"),
    "loopCharacteristics": ("多实例", "multi-instance"),
    "calledElement": ("调用活动", "call activity"),
    "userTaskForm": ("内嵌表单(请改用已关联的表单)", "embedded form (link a form instead)"),
    "formKey": ("内嵌或自定义表单(请改用已关联的表单)", "embedded or custom form key (link a form instead)"),
    "externalReference": ("外部表单(请改用已关联的表单)", "external form reference (link a form instead)"),
    "versionTag": ("按版本标签绑定", "binding by version tag"),
}
