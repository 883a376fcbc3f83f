"""First look at a diagram: is every word in it one that the engine knows? Works on any XML, says what and where, changes nothing."""

from lxml import etree

from engine.workflow.report import Report
from engine.workflow.vocabulary import (
    BPMN,
    EXTENSION_ATTRIBUTES,
    EXTENSION_CHILDREN,
    EXTENSIONS,
    FIXED,
    FOREIGN,
    HARMLESS,
    REFUSED,
    WORDS,
    XSI,
    ZEEBE,
    Word,
)

INSTEAD = "可用的有:开始/结束/终止事件,用户、手工、脚本、业务规则和普通任务,排他、并行和包容网关,嵌入子流程,定时器"
INSTEAD_EN = "use start/end/terminate events, user, manual, script, business rule and plain tasks, exclusive, parallel and inclusive gateways, subprocesses, timers"
_FORMAL = {"tFormalExpression", "tExpression"}


def admit(root: etree._Element, report: Report) -> bool:
    """Report every word that is not known. False when the file is no BPMN at all."""
    if name(root) != (BPMN, "definitions"):
        report.error("not_bpmn", None, "文件的根元素不是 BPMN 的 definitions", "The root element is not BPMN's definitions")
        return False
    pending = [(root, WORDS["definitions"])]
    while pending:
        node, word = pending.pop()
        _attributes(node, word, report)
        for child in node:
            namespace, local = name(child)
            if local == "extensionElements" and namespace == BPMN and local in word.children:
                _extensions(child, node, word, report)
            elif namespace == BPMN and local in word.children:
                pending.append((child, WORDS[local]))
            elif namespace not in HARMLESS:
                _refuse(child, node, report)
    return True


def name(node: etree._Element) -> tuple[str, str]:
    """(namespace, local name)."""
    qualified = etree.QName(node)
    return qualified.namespace or "", qualified.localname


def place(node: etree._Element | None) -> str | None:
    """The id an author knows: that of the node or of what it belongs to."""
    while node is not None:
        if node.get("id") and name(node)[0] == BPMN:
            return node.get("id")
        node = node.getparent()
    return None


def _refuse(node: etree._Element, parent: etree._Element, report: Report) -> None:
    namespace, local = name(node)
    where = place(node)
    if namespace != BPMN:
        _refuse_extension(node, place(parent), report)
        return
    chinese, english = REFUSED.get(local, (local, local))
    if local not in REFUSED and local in WORDS:
        message = f"“{local}”不能放在“{name(parent)[1]}”里"
        report.error("misplaced_element", where, message, f"{local} cannot stand inside {name(parent)[1]}")
        return
    code = "unsupported_event" if local.endswith("EventDefinition") or local == "eventDefinitionRef" else "unsupported_element"
    report.error(code, where, f"不支持“{chinese}”({local})。{INSTEAD}", f"{english} ({local}) is not supported; {INSTEAD_EN}")


def _refuse_extension(node: etree._Element, where: str | None, report: Report) -> None:
    namespace, local = name(node)
    if engine := FOREIGN.get(namespace):
        message = f"“{local}”是 {engine} 的扩展,在这里不会起作用;请删除或改用 Camunda 8 的写法"
        report.error("foreign_extension", where, message, f"{local} is an extension of {engine} and has no effect here; remove it or use Camunda 8's")
    elif namespace == ZEEBE:
        chinese, english = REFUSED.get(local, (local, local))
        report.error("unsupported_extension", where, f"这里不支持“{chinese}”(zeebe:{local})", f"{english} (zeebe:{local}) is not supported here")
    else:
        message = f"不认识的扩展“{local}”({namespace or '没有命名空间'});请删除"
        report.error("unknown_extension", where, message, f"Unknown extension {local} ({namespace or 'no namespace'}); remove it")


def _attributes(node: etree._Element, word: Word, report: Report) -> None:
    local = name(node)[1]
    for key, value in node.attrib.items():
        attribute = etree.QName(key)
        namespace, plain = attribute.namespace or "", attribute.localname
        if namespace in FOREIGN:
            message = f"属性“{plain}”是 {FOREIGN[namespace]} 的,在这里不会起作用;请删除"
            report.error("foreign_extension", place(node), message, f"Attribute {plain} belongs to {FOREIGN[namespace]} and has no effect here; remove it")
        elif namespace == XSI and plain == "type":
            if value.rpartition(":")[2] not in _FORMAL:
                report.error("unsupported_attribute", place(node), f"不支持的表达式类型 {value}", f"Expression type {value} is not supported")
        elif namespace == ZEEBE and plain in EXTENSION_ATTRIBUTES or namespace in HARMLESS:
            continue
        elif namespace:
            report.error("unknown_extension", place(node), f"不认识的属性“{plain}”({namespace});请删除", f"Unknown attribute {plain} ({namespace}); remove it")
        elif plain not in word.attributes and plain not in ("id", "name"):
            report.error("unsupported_attribute", place(node), f"“{local}”不支持属性“{plain}”", f"{local} does not support attribute {plain}")
        elif plain in FIXED and value not in FIXED[plain]:
            message = f"“{local}”的属性 {plain} 只支持 {'、'.join(sorted(FIXED[plain]))},不支持“{value}”"
            report.error("unsupported_attribute", place(node), message, f"{plain} of {local} must be one of {sorted(FIXED[plain])}, not {value!r}")
        elif plain == "language" and "feel" not in value.lower():
            report.error("unsupported_attribute", place(node), f"表达式只支持 FEEL,不支持 {value}", f"Expressions are FEEL, not {value}")


def _extensions(box: etree._Element, owner: etree._Element, word: Word, report: Report) -> None:
    where, seen = place(owner), set()
    for node in box:
        namespace, local = name(node)
        if namespace in HARMLESS:
            continue
        if namespace != ZEEBE or local not in word.extensions:
            _refuse_extension(node, where, report)
            continue
        if local in seen:
            report.error("duplicate_extension", where, f"zeebe:{local} 出现了两次", f"zeebe:{local} occurs twice")
        seen.add(local)
        _extension_parts(node, where, report)
    if box.attrib:
        report.error("unsupported_attribute", where, "extensionElements 不能有属性", "extensionElements has no attributes")


def _extension_parts(node: etree._Element, where: str | None, report: Report) -> None:
    local = name(node)[1]
    for key, value in node.attrib.items():
        if key == "bindingType" and value == "latest":
            message = "表单和决策表总是用与流程同一版本里的,不取最新版"
            report.warn("binding", where, message, "Forms and decisions are always those deployed with this version, not the latest")
        elif key == "bindingType" and value != "deployment":
            report.error("unsupported_extension", where, f"不支持绑定方式 {value}", f"Binding {value} is not supported")
        elif key not in EXTENSIONS[local]:
            chinese, english = REFUSED.get(etree.QName(key).localname, (key, key))
            report.error("unsupported_extension", where, f"zeebe:{local} 不支持“{chinese}”({key})", f"zeebe:{local} does not support {english} ({key})")
    for child in node:
        namespace, inner = name(child)
        if namespace == ZEEBE and inner in EXTENSION_CHILDREN.get(local, ()):
            _extension_parts(child, where, report)
        else:
            _refuse_extension(child, where, report)
