"""Everything an examination can find, in both languages. A fact that is a pair is (Chinese, English)."""

# code → (Chinese, English). What is wrong, and what to do instead.
FAULTS = {
    # the file
    "file_too_large": ("文件超过 {limit} MB,请拆成几个流程", "The file is larger than {limit} MB; split it"),
    "doctype": ("文件含有 DOCTYPE 声明,出于安全不予读取;请删除它", "The file has a DOCTYPE declaration, refused for safety; remove it"),
    "not_xml": ("这不是完整的 XML,无法读取({reason});请在建模工具里重新保存", "Not well-formed XML ({reason}); save it anew"),
    "too_many_nodes": ("文件里的 XML 元素超过 {limit} 个,请拆成几个流程", "The file has more than {limit} XML elements; split it"),
    "not_bpmn": ("文件的根元素不是 BPMN 的 definitions", "The root element is not BPMN's definitions"),
    "not_one_process": ("一个文件应恰好有一个流程,这里有 {count} 个", "A file holds exactly one process, this one {count}"),
    "not_executable": ("流程没有标为可执行(isExecutable);只画给人看的流程不能部署", "The process is not marked isExecutable"),
    "too_many_elements": ("流程的元素超过 {limit} 个,请拆分", "More than {limit} elements; split the process"),
    "missing_id": ("“{what}”没有编号", "{what} has no id"),
    "duplicate_id": ("编号“{id}”用了不止一次", "The id {id} is used more than once"),
    "bad_id": ("编号应以字母或下划线开头,只含字母、数字、点、横线,不超过 {limit} 个字符", "An id is an XML name up to {limit} characters"),
    "unused_definition": ("定义“{what}”没有被任何元素使用", "The definition {what} is not used by any element"),
    # words
    "unsupported_element": ("不支持“{what}”。{instead}", "Not supported: {what}. {instead}"),
    "unsupported_event": ("不支持“{what}”。{instead}", "Not supported: {what}. {instead}"),
    "misplaced_element": ("“{what}”不能放在“{parent}”里", "{what} cannot stand inside {parent}"),
    "unsupported_attribute": ("“{what}”不支持属性 {attribute}=“{value}”", "{what} does not support {attribute}={value}"),
    "foreign_extension": (
        "“{what}”是 {engine} 的扩展,在这里不会起作用;请删除,或改用 Camunda 8 的写法",
        "{what} is an extension of {engine} and has no effect here; remove it or use Camunda 8's",
    ),
    "unsupported_extension": ("这里不支持“{what}”", "Not supported here: {what}"),
    "unknown_extension": ("不认识的扩展“{what}”({namespace});请删除", "Unknown extension {what} ({namespace}); remove it"),
    "duplicate_extension": ("zeebe:{what} 出现了两次", "zeebe:{what} occurs twice"),
    "binding": ("表单和决策表总是取自与流程同一版本,不取最新版", "Forms and decisions are those of this version, not the latest"),
    # expressions and variables
    "feel_syntax": ("{what}:{reason}", "{what}: {reason}"),
    "feel_unsupported": ("{what}:{reason}", "{what}: {reason}"),
    "not_an_expression": ("{what}应是以“=”开头的 FEEL 表达式", "The {what} must be a FEEL expression beginning with '='"),
    "must_be_fixed": ("{what}不能是表达式,要写固定的文字", "The {what} cannot be an expression"),
    "bad_variable": ("{what}“{name}”不是变量名(用字母、汉字、数字和下划线,不以数字开头)", "The {what} {name} is not a variable's name"),
    "reserved_name": ("“{name}”是系统用的名字,请换一个变量名", "{name} is reserved; choose another variable"),
    "unknown_name": ("表达式用到的“{name}”,流程和表单里都没有", "No form or step makes the variable {name} that is read here"),
    "missing_source": ("输入输出映射缺少来源", "An input/output mapping has no source"),
    # elements
    "no_form": ("这个用户任务没有表单,办理时没有可填的内容", "This user task has no form"),
    "no_script": ("脚本任务没有 FEEL 表达式", "The script task has no FEEL expression"),
    "no_decision": ("业务规则任务没有指定决策表", "The business rule task names no decision"),
    "bad_time": ("{what}不正确:{reason}", "The {what} is not right: write a date and time"),
    "bad_priority": ("优先级应是 0 到 100 的整数", "Priority is a whole number from 0 to 100"),
    "bad_loop": ("循环要有条件或上限(正整数),否则永远不会结束", "A loop needs a condition or a maximum (a positive number)"),
    "bad_timer": ("定时器不正确:{reason}", "The timer is not right: {reason}"),
    "several_events": ("一个事件只能有一种触发方式", "An event has only one trigger"),
    "no_event": ("这个事件没有触发方式,请选“定时器”", "This event has no trigger; make it a timer"),
    # the graph
    "dangling_reference": ("引用的“{name}”不存在或不能在这里引用", "{name}, referred to here, does not exist or cannot be referred to"),
    "crosses_border": ("连线不能穿过子流程的边界", "A sequence flow cannot cross the border of a subprocess"),
    "inconsistent_flow": ("元素写的 {side} 与连线的起止不一致;请重新连线", "{side} disagrees with the ends of the flows; draw them anew"),
    "bad_host": (
        "边界定时器只能放在同一层的用户任务、脚本任务、业务规则任务或子流程上(其他元素不停留,定时器不会触发)",
        "A boundary timer needs a host of its own scope that takes time: user, script or business rule task, or subprocess",
    ),
    "idle_default": ("只有排他网关和包容网关可以有默认连线", "Only exclusive and inclusive gateways have a default flow"),
    "idle_condition": ("条件只能写在排他网关或包容网关出去的非默认连线上", "Conditions belong on flows out of xor and or gateways"),
    "missing_condition": ("网关的这条连线既没有条件也不是默认连线", "This flow of a gateway has no condition and is not the default"),
    "empty_condition": ("连线的条件是空的", "The condition of this flow is empty"),
    "flow_into_start": ("开始事件不能有进来的连线", "Nothing flows into a start event"),
    "flow_into_boundary": ("边界事件不能有进来的连线", "Nothing flows into a boundary event"),
    "flow_out_of_end": ("结束事件不能有出去的连线", "Nothing flows out of an end event"),
    "implicit_end": ("这里没有出去的连线,走到这里就结束了;请画上结束事件", "Nothing flows out, so the branch ends here; draw an end event"),
    "bad_start": ("子流程只能用普通的开始事件", "A subprocess begins with a plain start event"),
    "no_start": ("这里没有开始事件", "There is no start event"),
    "several_starts": ("只能有一个普通的开始事件", "There is more than one plain start event"),
    "unreachable": ("从开始事件走不到这里", "This element cannot be reached from the start"),
    "no_end": ("从这里开始永远走不到结束", "No end can be reached from here"),
    "cannot_end": ("走到这里之后就再也不能结束", "From here no end can be reached"),
}

WARNINGS = frozenset({"unused_definition", "binding", "unknown_name", "no_form", "implicit_end", "cannot_end"})

INSTEAD = (
    "可用的有:开始、结束和终止事件,用户、手工、脚本、业务规则和普通任务,排他、并行和包容网关,嵌入子流程,定时器",
    "Use start, end, terminate, user, manual, script, business rule and plain tasks, xor, and, or gateways, subprocesses, timers",
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
}
