"""What people may well have drawn and the engine does not run: its name, and what to draw instead, in both languages."""

_ZEEBE_MANY = (
    "请在“多实例”里填写输入集合（zeebe:loopCharacteristics 的 inputCollection）",
    "Give zeebe:loopCharacteristics an inputCollection",
)
_FEEL_SCRIPT = ("请改用 FEEL 脚本（zeebe:script）", "Use a FEEL script (zeebe:script)")
_GROUPS = ("请改用“分派”里的候选组", "Use the candidate groups of the assignment")
_LINKED_FORM = ("请改用已关联的表单（formId）", "Link a form by its formId")
_MAPPING = ("请改用输入输出映射", "Use input and output mappings")
_SUBPROCESS = ("请改用子流程、边界事件和事件子流程", "Use a subprocess, boundary events and event subprocesses")
_UNDO = (
    "请把要撤回的步骤画成普通的环节，由错误边界事件引到那里",
    "Draw the steps that undo as ordinary ones and lead there from an error boundary event",
)
_OWN_TRIGGER = ("请把触发方式直接写在事件里", "Write the trigger inside the event")
_CORRELATION = ("请在消息上填写“关联键”（zeebe:subscription 的 correlationKey）", "Give the message a correlation key (zeebe:subscription)")
_JOB = ("程序做的事请画成服务任务", "Draw what a program does as a service task")

# word → ((Chinese, English) name, (Chinese, English) what to do instead or None)
REFUSED = {
    "transaction": (("事务子流程", "transaction"), _SUBPROCESS),
    "adHocSubProcess": (
        ("自由子流程", "ad-hoc subprocess"),
        ("请改用子流程，里面用网关决定做哪些", "Use a subprocess with gateways inside"),
    ),
    "complexGateway": (("复杂网关", "complex gateway"), ("请改用排他、并行或包容网关", "Use an exclusive, parallel or inclusive gateway")),
    "compensateEventDefinition": (("补偿事件", "compensation event"), _UNDO),
    "cancelEventDefinition": (
        ("取消事件", "cancel event"),
        ("请改用错误结束事件和错误边界事件", "Use an error end event and an error boundary event"),
    ),
    "eventDefinitionRef": (("引用的事件定义", "reference to an event definition"), _OWN_TRIGGER),
    "loopCardinality": (("多实例的次数", "loop cardinality"), _ZEEBE_MANY),
    "loopDataInputRef": (("BPMN 自带的多实例集合", "BPMN's own collection of a multi-instance"), _ZEEBE_MANY),
    "loopDataOutputRef": (("BPMN 自带的多实例结果", "BPMN's own results of a multi-instance"), _ZEEBE_MANY),
    "inputDataItem": (("BPMN 自带的多实例项", "BPMN's own item of a multi-instance"), _ZEEBE_MANY),
    "outputDataItem": (("BPMN 自带的多实例项", "BPMN's own item of a multi-instance"), _ZEEBE_MANY),
    "complexBehaviorDefinition": (("多实例的复杂行为", "complex behaviour of a multi-instance"), _ZEEBE_MANY),
    "ioSpecification": (("输入输出声明", "input/output specification"), _MAPPING),
    "property": (("BPMN 属性", "BPMN property"), ("请改用变量", "Use variables")),
    "transformation": (("数据关联里的转换", "transformation in a data association"), _MAPPING),
    "assignment": (("数据关联里的赋值", "assignment in a data association"), _MAPPING),
    "choreography": (("编排", "choreography"), ("请画成几个流程，用消息往来", "Draw processes that send each other messages")),
    "conversation": (("会话", "conversation"), ("请画成几个流程，用消息往来", "Draw processes that send each other messages")),
    "participantMultiplicity": (
        ("泳池的多重性", "participant multiplicity"),
        ("请删除；由消息决定有几个", "Remove it; messages tell how many there are"),
    ),
    "correlationKey": (("BPMN 自带的关联键", "BPMN's own correlation key"), _CORRELATION),
    "correlationProperty": (("BPMN 自带的关联属性", "BPMN's own correlation property"), _CORRELATION),
    "correlationSubscription": (("BPMN 自带的关联订阅", "BPMN's own correlation subscription"), _CORRELATION),
    "script": (("BPMN 脚本", "BPMN script"), _FEEL_SCRIPT),
    "humanPerformer": (("执行人声明", "human performer"), _GROUPS),
    "potentialOwner": (("潜在所有者", "potential owner"), _GROUPS),
    "performer": (("执行人声明", "performer"), _GROUPS),
    "resourceRole": (("资源角色", "resource role"), _GROUPS),
    "operationRef": (("操作引用", "operation reference"), _JOB),
    "interface": (("接口", "interface"), _JOB),
    "import": (("导入的文件", "import"), ("请把需要的内容放进同一个文件", "Put what is needed into the same file")),
    # Zeebe's
    "taskDefinition": (("外部作业", "job worker"), _JOB),
    "taskHeaders": (("任务头", "task headers"), ("请改用扩展属性", "Use extension properties")),
    "executionListeners": (("执行监听器", "execution listeners"), _JOB),
    "taskListeners": (("任务监听器", "task listeners"), _JOB),
    "publishMessage": (
        ("发布消息的扩展", "publish-message extension"),
        ("请改用扩展属性 correlationKey 和 timeToLive", "Use the properties correlationKey and timeToLive"),
    ),
    "conditionalFilter": (
        ("条件事件的过滤器", "filter of a conditional event"),
        ("请把它写进条件本身", "Write it into the condition itself"),
    ),
    "adHoc": (("自由子流程", "ad-hoc subprocess"), _SUBPROCESS),
    "agentDefinition": (("智能体定义", "agent definition"), _JOB),
    "jobPriorityDefinition": (("作业优先级", "job priority"), ("请删除；作业按先后顺序做", "Remove it; jobs are done in their order")),
    "linkedResources": (("关联的资源", "linked resources"), ("请改用任务头或变量", "Use task headers or variables")),
    "processIdExpression": (
        ("流程编号的旧写法", "old form of the process id"),
        ("请写 processId，表达式以“=”开头", "Write processId, an expression with '='"),
    ),
    "businessId": (("业务编号", "business id"), ("请改用变量", "Use a variable")),
    "userTaskForm": (("内嵌表单", "embedded form"), _LINKED_FORM),
    "formKey": (("内嵌或自定义表单", "embedded or custom form key"), _LINKED_FORM),
    "externalReference": (("外部表单", "external form reference"), _LINKED_FORM),
    "versionTag": (("按版本标签绑定", "binding by version tag"), ("请删除标签", "Remove the tag")),
}

_EVENTS_ZH = "开始、结束、中间和边界事件（定时、消息、信号、错误、升级、条件、链接、终止）"
_EVENTS = "start, end, intermediate and boundary events (timer, message, signal, error, escalation, condition, link, terminate)"
_REST_ZH = "用户、手工、脚本、业务规则、服务、发送、接收和普通任务，排他、并行、包容和事件网关，子流程、事件子流程、调用活动"
_REST = "user, manual, script, business rule, service, send, receive and plain tasks, gateways, subprocesses, event subprocesses, calls"
INSTEAD = (f"可用的有：{_EVENTS_ZH}，{_REST_ZH}", f"Use {_EVENTS}, {_REST}")

# Events and their triggers, to say which go together.
EVENT_NAMES = {
    "startEvent": ("开始事件", "start event"),
    "endEvent": ("结束事件", "end event"),
    "intermediateCatchEvent": ("中间捕获事件", "intermediate catch event"),
    "intermediateThrowEvent": ("中间抛出事件", "intermediate throw event"),
    "boundaryEvent": ("边界事件", "boundary event"),
    "timerEventDefinition": ("定时", "timer"),
    "messageEventDefinition": ("消息", "message"),
    "signalEventDefinition": ("信号", "signal"),
    "errorEventDefinition": ("错误", "error"),
    "escalationEventDefinition": ("升级", "escalation"),
    "conditionalEventDefinition": ("条件", "condition"),
    "linkEventDefinition": ("链接", "link"),
    "terminateEventDefinition": ("终止", "terminate"),
}


def called(word: str, prefix: str = "") -> tuple[str, str]:
    """A refused word in both languages, with the word itself."""
    chinese, english = REFUSED.get(word, (("", ""), None))[0]
    return f"{chinese} {prefix}{word}".strip(), f"{english} {prefix}{word}".strip()


def instead(word: str) -> tuple[str, str]:
    """What to do instead of a refused word, in both languages."""
    return REFUSED.get(word, ((), None))[1] or INSTEAD


def choices(words) -> tuple[str, str]:
    """Names of events or triggers in a row, in both languages."""
    names = [EVENT_NAMES[word] for word in sorted(words) if word in EVENT_NAMES]
    return "、".join(name[0] for name in names), ", ".join(name[1] for name in names)


def trigger_name(trigger: str) -> tuple[str, str]:
    """A trigger of the model in both languages."""
    return EVENT_NAMES[f"{'conditional' if trigger == 'condition' else trigger}EventDefinition"]
