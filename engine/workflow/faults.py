"""Everything an examination can find, in both languages. A fact that is a pair is (Chinese, English)."""

# code → (Chinese, English). What is wrong, and what to do instead.
FAULTS = {
    # the file
    "file_too_large": ("文件超过 {limit} MB，请拆成几个流程", "The file is larger than {limit} MB; split it"),
    "doctype": ("文件含有 DOCTYPE 声明，出于安全不予读取；请删除它", "The file has a DOCTYPE declaration, refused for safety; remove it"),
    "not_xml": ("这不是完整的 XML，无法读取（{reason}）；请在建模工具里重新保存", "Not well-formed XML ({reason}); save it anew"),
    "too_many_nodes": ("文件里的 XML 元素超过 {limit} 个，请拆成几个流程", "The file has more than {limit} XML elements; split it"),
    "not_bpmn": ("文件的根元素不是 BPMN 的 definitions", "The root element is not BPMN's definitions"),
    "no_process": ("文件里没有流程；请至少画一个可执行的流程", "The file holds no process; draw an executable one"),
    "not_one_process": (
        "这里一次只收一个流程，文件里有 {count} 个；请分成几个文件",
        "One process is taken here, the file holds {count}; split it",
    ),
    "not_executable": (
        "流程没有标为可执行（isExecutable）；只画给人看的流程请画成没有内容的泳池",
        "The process is not marked isExecutable; draw what is only shown as a pool without content",
    ),
    "too_many_elements": ("流程的元素超过 {limit} 个，请拆分", "More than {limit} elements; split the process"),
    "missing_id": ("“{what}”没有编号；请给它一个", "{what} has no id; give it one"),
    "duplicate_id": ("编号“{id}”用了不止一次；请改成不同的编号", "The id {id} is used more than once; change one"),
    "bad_id": (
        "编号应以字母或下划线开头，只含字母、数字、点、横线，不超过 {limit} 个字符",
        "An id is an XML name up to {limit} characters",
    ),
    "unused_definition": ("定义“{what}”没有被任何元素使用；可以删除", "No element uses the definition {what}; remove it"),
    "pool_twice": ("流程“{name}”已经有一个泳池；一个流程只画一个泳池", "Process {name} has a pool already; a process has one pool"),
    "message_flow_inside": (
        "消息流应从一个泳池连到另一个；同一个泳池里请用连线",
        "A message flow leads from one pool to another; inside a pool draw a sequence flow",
    ),
    # words
    "unsupported_element": ("不支持“{what}”。{instead}", "Not supported: {what}. {instead}"),
    "unsupported_event": ("不支持“{what}”。{instead}", "Not supported: {what}. {instead}"),
    "misplaced_element": ("“{what}”不能放在“{parent}”里；请移到该在的地方或删除", "{what} cannot stand inside {parent}; move or remove it"),
    "misplaced_event": (
        "“{what}”不能用作{parent}；{parent}可用的有：{allowed}",
        "A {parent} cannot have the trigger {what}, but: {allowed}",
    ),
    "unsupported_attribute": (
        "“{what}”不支持属性 {attribute}=“{value}”；请删除或改成默认值",
        "{what} does not support {attribute}={value}; remove it",
    ),
    "foreign_extension": (
        "“{what}”是 {engine} 的扩展，在这里不会起作用；请删除，或改用 Camunda 8 的写法",
        "{what} is an extension of {engine} and has no effect here; remove it or use Camunda 8's",
    ),
    "unsupported_extension": ("这里不支持“{what}”。{instead}", "Not supported here: {what}. {instead}"),
    "unknown_extension": ("不认识的扩展“{what}”（{namespace}）；请删除", "Unknown extension {what} ({namespace}); remove it"),
    "duplicate_extension": ("zeebe:{what} 出现了两次；请只留一个", "zeebe:{what} occurs twice; keep one"),
    "binding": ("表单和决策表总是取自与流程同一版本，不取最新版", "Forms and decisions are those of this version, not the latest"),
    "call_binding": (
        "调用的流程总是取最新版，不取同一次部署的版本",
        "A called process is always the latest version, not that of the same deployment",
    ),
    # expressions and variables
    "feel_syntax": ("{what}：{reason}", "{what}: {reason}"),
    "feel_unsupported": ("{what}：{reason}", "{what}: {reason}"),
    "not_an_expression": ("{what}应是以“=”开头的 FEEL 表达式", "The {what} must be a FEEL expression beginning with '='"),
    "must_be_fixed": ("{what}不能是表达式，要写固定的文字", "The {what} cannot be an expression; write a fixed text"),
    "bad_variable": ("{what}“{name}”不是变量名（用字母、汉字、数字和下划线，不以数字开头）", "The {what} {name} is not a variable's name"),
    "reserved_name": ("“{name}”是系统用的名字，请换一个变量名", "{name} is reserved; choose another variable"),
    "unknown_name": ("表达式用到的“{name}”，流程和表单里都没有", "No form or step makes the variable {name} that is read here"),
    "missing_source": ("输入输出映射缺少来源", "An input/output mapping has no source"),
    # elements
    "no_form": ("这个用户任务没有表单，办理时没有可填的内容；请关联一个", "This user task has no form to fill in; link one"),
    "no_script": ("脚本任务没有 FEEL 表达式；请写一个（zeebe:script）", "The script task has no FEEL expression; write one (zeebe:script)"),
    "no_decision": (
        "业务规则任务没有指定决策表；请选一个（zeebe:calledDecision）",
        "The business rule task names no decision (zeebe:calledDecision)",
    ),
    "no_job": (
        "服务任务没有写作业类型（zeebe:taskDefinition），没有程序会来做；由人做的请画成用户任务",
        "The service task has no job type (zeebe:taskDefinition), so no program will do it; what people do is a user task",
    ),
    "no_job_type": ("作业类型（zeebe:taskDefinition 的 type）是空的", "The job type (type of zeebe:taskDefinition) is empty"),
    "bad_retries": ("作业的重试次数应是正整数", "The retries of a job are a positive number"),
    "bad_header": ("任务头“{key}”没有键或键重复", "The task header {key} has no key or one that another has"),
    "idle_headers": (
        "任务头只给做作业的程序看，这里没有作业；请填作业类型，或改用扩展属性",
        "Task headers are read by the program that does the job, but there is none; name its type, or use extension properties",
    ),
    "idle_job": (
        "只有消息事件可以由程序发出；请删除作业类型，或改成消息事件",
        "Only a message event can be sent by a program; remove the job type or make it a message event",
    ),
    "no_called_process": (
        "调用活动没有写要调用的流程（zeebe:calledElement 的 processId）",
        "The call activity names no process (processId of zeebe:calledElement)",
    ),
    "bad_time": ("{what}不正确：{reason}", "The {what} is not right: write a date and time"),
    "bad_priority": ("优先级应是 0 到 100 的整数", "Priority is a whole number from 0 to 100"),
    "bad_loop": ("循环要有条件或上限（正整数），否则永远不会结束", "A loop needs a condition or a maximum (a positive number)"),
    "two_loops": (
        "一个活动不能既是循环又是多实例；请把一个放进子流程",
        "An activity cannot both loop and have many instances; put one into a subprocess",
    ),
    "no_collection": (
        "多实例没有输入集合（zeebe:loopCharacteristics 的 inputCollection）",
        "The multi-instance has no inputCollection (of zeebe:loopCharacteristics)",
    ),
    "half_output": ("多实例的输出集合与输出项要么都写，要么都不写", "outputCollection and outputElement of a multi-instance go together"),
    "bad_timer": ("定时器不正确：{reason}", "The timer is not right: {reason}"),
    "several_events": ("一个事件只能有一种触发方式；请分成几个事件", "An event has only one trigger; draw several events"),
    "no_event": (
        "这个事件没有触发方式；请选定时、消息、信号、条件等",
        "This event has no trigger; choose timer, message, signal, condition or another",
    ),
    "no_definition": (
        "没有选定{what}；请在文件里定义它，并在这里引用",
        "The {what} is missing; define it in the file and refer to it here",
    ),
    "no_name": ("“{name}”没有写{what}；请在定义里填写", "{name} has no {what}; write it in the definition"),
    "no_link_name": ("链接事件没有名称，不知连到哪里；请填写", "The link event has no name, so it leads nowhere; name it"),
    "no_event_condition": ("条件事件没有条件；请写一个 FEEL 条件", "The conditional event has no condition; write one in FEEL"),
    "no_correlation_key": (
        "消息“{name}”没有关联键，收到时不知属于哪一个个案；请在消息上填写关联键",
        "The message {name} has no correlation key to tell which case it is for; give the message one",
    ),
    "bad_lifetime": ("消息的保留时间（timeToLive）不正确：{reason}", "The timeToLive of the message is not right: {reason}"),
    # the graph
    "dangling_reference": (
        "引用的“{name}”不存在或不能在这里引用；请重新选择",
        "{name}, referred to here, does not exist or does not fit; choose anew",
    ),
    "crosses_border": (
        "连线不能穿过子流程的边界；请连到子流程本身",
        "A sequence flow cannot cross the border of a subprocess; lead it to the subprocess",
    ),
    "inconsistent_flow": ("元素写的 {side} 与连线的起止不一致；请重新连线", "{side} disagrees with the ends of the flows; draw them anew"),
    "bad_host": (
        "边界事件只能放在同一层的活动上，而且活动要能停留：用户、脚本、业务规则、服务、发送、接收任务，子流程，调用活动",
        "A boundary event needs a host of its own scope that takes time: user, script, business rule, service, send or receive task, subprocess, call",
    ),
    "error_never_thrown": (
        "这里的错误边界事件永远不会触发：这种活动不会抛出错误，表达式出错是待处理的异常；请放在子流程、调用活动、服务或发送任务上",
        "This error boundary event can never fire: its host throws none, a failing expression is an incident; put it on a subprocess, call or service task",
    ),
    "escalation_never_thrown": (
        "这里的升级边界事件永远不会触发：只有子流程和调用活动里面会抛出升级",
        "This escalation boundary event can never fire: only inside subprocesses and calls is something escalated",
    ),
    "error_interrupts": (
        "错误总是中断所在的活动；请改成中断的，或改用升级",
        "An error always interrupts; make the event interrupting, or use an escalation",
    ),
    "ambiguous_catch": (
        "这里已有一个捕获{what}“{name}”的事件，不知该由哪一个捕获；请只留一个",
        "Another event here catches the {what} {name} already, so nobody could say which is meant; keep one",
    ),
    "link_twice": (
        "同一层有两个同名的链接捕获事件，不知连到哪一个；请换一个名称",
        "Two catching links of one name in one scope: rename one",
    ),
    "link_to_nothing": ("同一层没有名为“{name}”的链接捕获事件；请画一个", "No catching link in this scope has the name {name}; draw one"),
    "flow_of_link": (
        "链接抛出事件没有出去的连线，链接捕获事件没有进来的连线",
        "Nothing flows out of a throwing link or into a catching one",
    ),
    "flow_of_event_subprocess": (
        "事件子流程没有进出的连线：它由自己的开始事件启动",
        "No flow leads to or from an event subprocess: its own start event begins it",
    ),
    "event_subprocess_repeats": (
        "事件子流程不能是循环或多实例；请放进里面的子流程",
        "An event subprocess cannot loop or have many instances; put a subprocess inside",
    ),
    "gateway_of_one": (
        "事件网关要有两个以上的出口；只等一件事请直接用捕获事件",
        "An event-based gateway has two or more ways; to wait for one event use a catch event",
    ),
    "bad_race": (
        "事件网关后面只能是各有一条进线的中间捕获事件（定时、消息、信号、条件），或没有边界事件、循环和多实例的接收任务",
        "An event-based gateway leads to catch events (timer, message, signal, condition) or bare receive tasks, each with one flow into it",
    ),
    "cycle_once": (
        "这个定时器只触发一次，循环只有第一次有用；请写时间点或时长，或改成不中断的",
        "This timer fires once, so only the first of its cycle counts; write a date or duration, or make it non-interrupting",
    ),
    "idle_default": (
        "另有没有条件的连线，总会走那一条，默认连线永远走不到；请给它写上条件",
        "A flow without a condition is always taken, so the default never is; give that flow a condition",
    ),
    "idle_condition": (
        "条件在这里不起作用：只能写在活动、排他网关或包容网关出去的非默认连线上",
        "A condition has no effect here: it belongs on a flow, not the default one, out of an activity, xor or or gateway",
    ),
    "missing_condition": (
        "网关的这条连线既没有条件也不是默认连线；请写条件或设为默认",
        "This flow of a gateway has no condition and is not the default; make it either",
    ),
    "empty_condition": ("连线的条件是空的；请写上或删除", "The condition of this flow is empty; write or remove it"),
    "flow_into_start": (
        "开始事件不能有进来的连线；请连到它后面的元素",
        "Nothing flows into a start event; lead the flow to what follows it",
    ),
    "flow_into_boundary": (
        "边界事件不能有进来的连线；请连到它所在的活动",
        "Nothing flows into a boundary event; lead the flow to its host",
    ),
    "flow_out_of_end": (
        "结束事件不能有出去的连线；还要继续请用中间抛出事件",
        "Nothing flows out of an end event; to go on use an intermediate event",
    ),
    "implicit_end": (
        "这里没有出去的连线，走到这里就结束了；请画上结束事件",
        "Nothing flows out, so the branch ends here; draw an end event",
    ),
    "bad_start": (
        "子流程只能用普通的开始事件；要由事件启动，请用事件子流程",
        "A subprocess begins with a plain start event; use an event subprocess for others",
    ),
    "bad_process_start": (
        "流程不能由“{what}”事件开始；可用的有：普通、定时、消息、信号",
        "A process cannot begin with the trigger {what}, but plainly or with timer, message, signal",
    ),
    "bad_watcher_start": (
        "事件子流程的开始事件要有触发方式：定时、消息、信号、错误、升级或条件",
        "The start of an event subprocess needs a trigger: timer, message, signal, error, escalation or condition",
    ),
    "idle_interrupting": (
        "只有事件子流程的开始事件可以不中断（isInterrupting）",
        "Only the start of an event subprocess can be non-interrupting (isInterrupting)",
    ),
    "no_start": ("这里没有开始事件；请画一个", "There is no start event; draw one"),
    "several_starts": (
        "一个流程或子流程只有一个普通的开始事件，一个事件子流程只有一个开始事件",
        "A process or subprocess has one plain start event, an event subprocess one start",
    ),
    "unreachable": ("从开始事件走不到这里；请连上或删除", "This element cannot be reached from the start; connect or remove it"),
    "no_end": ("从这里开始永远走不到结束；请画出一条通往结束的路", "No end can be reached from here; draw a way to one"),
    "cannot_end": ("走到这里之后就再也不能结束；请画出一条通往结束的路", "From here no end can be reached; draw a way to one"),
}

WARNINGS = frozenset(
    {"unused_definition", "binding", "call_binding", "unknown_name", "no_form", "implicit_end", "cannot_end", "cycle_once"}
)

# Fields that hold expressions.
FIELDS = {
    "condition": ("连线的条件", "condition"),
    "loop": ("循环条件", "loop condition"),
    "script": ("脚本", "script"),
    "source": ("输入输出映射的来源", "source of a mapping"),
    "target": ("输入输出映射的目标", "target of a mapping"),
    "result": ("结果变量", "result variable"),
    "decision": ("决策表编号", "decision id"),
    "form": ("表单编号", "form id"),
    "assignee": ("办理人", "assignee"),
    "groups": ("候选组", "candidate groups"),
    "users": ("候选人", "candidate users"),
    "due": ("截止时间", "due date"),
    "follow_up": ("跟进时间", "follow-up date"),
    "priority": ("优先级", "priority"),
    "date": ("定时器的时间点", "timer's date"),
    "duration": ("定时器的时长", "timer's duration"),
    "cycle": ("定时器的循环", "timer's cycle"),
    "job": ("作业类型", "job type"),
    "retries": ("重试次数", "retries"),
    "process": ("调用的流程编号", "id of the called process"),
    "collection": ("多实例的输入集合", "input collection"),
    "item": ("多实例的输入项", "input element"),
    "results": ("多实例的输出集合", "output collection"),
    "item_result": ("多实例的输出项", "output element"),
    "completion": ("多实例的结束条件", "completion condition"),
    "message": ("消息名称", "message name"),
    "signal": ("信号名称", "signal name"),
    "error": ("错误代码", "error code"),
    "escalation": ("升级代码", "escalation code"),
    "event_condition": ("条件事件的条件", "condition of the event"),
    "key": ("关联键", "correlation key"),
    "lifetime": ("消息的保留时间", "lifetime of the message"),
}
