"""First look at a diagram: is every word in it one that the engine knows? Works on any XML, says what and where, changes nothing."""

from lxml import etree

from engine.workflow.refusals import EVENT_NAMES, REFUSED, called, choices, instead
from engine.workflow.report import Report
from engine.workflow.vocabulary import (
    BPMN,
    EXTENSION_ATTRIBUTES,
    EXTENSION_CHILDREN,
    EXTENSIONS,
    FIXED,
    FOREIGN,
    FORMAL,
    HARMLESS,
    PLACEHOLDER,
    WORDS,
    XSI,
    ZEEBE,
    Word,
)


def admit(root: etree._Element, report: Report) -> bool:
    """Report every word that is not known. False when the file is no BPMN at all."""
    if split(root.tag) != (BPMN, "definitions"):
        report.add("not_bpmn")
        return False
    pending = [(root, WORDS["definitions"])]
    while pending:
        node, word = pending.pop()
        _attributes(node, word, report)
        for child in node:
            namespace, local = split(child.tag)
            if namespace == BPMN and local == "extensionElements" and local in word.children:
                _extensions(child, place(node), word, report)
            elif namespace == BPMN and local in word.children and (local != "property" or child.get("name") == PLACEHOLDER):
                pending.append((child, WORDS[local]))
            elif namespace not in HARMLESS:
                _refuse(child, node, report)
    return True


def split(tag: str) -> tuple[str, str]:
    """(namespace, local name) of lxml's `{namespace}name`."""
    namespace, _, local = tag.rpartition("}")
    return namespace[1:], local


def bare(reference: str | None) -> str:
    """An id without the prefix of a qualified name, which BPMN allows for references."""
    return (reference or "").strip().rpartition(":")[2]


def place(node: etree._Element | None) -> str | None:
    """The id an author knows: that of the node or of what it belongs to."""
    while node is not None:
        if node.get("id") and split(node.tag)[0] == BPMN:
            return node.get("id")
        node = node.getparent()
    return None


def _refuse(node: etree._Element, parent: etree._Element, report: Report) -> None:
    namespace, local = split(node.tag)
    around = split(parent.tag)[1]
    if namespace != BPMN:
        _refuse_extension(node, place(parent), report)
    elif local in REFUSED or local not in WORDS:
        is_event = local.endswith("EventDefinition") or local == "eventDefinitionRef"
        code = "unsupported_event" if is_event else "unsupported_element"
        report.add(code, place(node), what=called(local), instead=instead(local))
    elif local in EVENT_NAMES and around in EVENT_NAMES:
        allowed = choices(WORDS[around].children)
        report.add("misplaced_event", place(parent), what=EVENT_NAMES[local], parent=EVENT_NAMES[around], allowed=allowed)
    else:
        report.add("misplaced_element", place(node), what=local, parent=around)


def _refuse_extension(node: etree._Element, where: str | None, report: Report) -> None:
    namespace, local = split(node.tag)
    if namespace in FOREIGN:
        report.add("foreign_extension", where, what=local, engine=FOREIGN[namespace])
    elif namespace == ZEEBE:
        report.add("unsupported_extension", where, what=called(local, "zeebe:"), instead=instead(local))
    else:
        report.add("unknown_extension", where, what=local, namespace=namespace or "-")


def _attributes(node: etree._Element, word: Word, report: Report) -> None:
    local = split(node.tag)[1]
    for key, value in node.attrib.items():
        namespace, attribute = split(key)
        if namespace in FOREIGN:
            report.add("foreign_extension", place(node), what=attribute, engine=FOREIGN[namespace])
        elif namespace and namespace not in HARMLESS and not (namespace == ZEEBE and attribute in EXTENSION_ATTRIBUTES):
            report.add("unknown_extension", place(node), what=attribute, namespace=namespace)
        elif not _allowed(namespace, attribute, value, word):
            report.add("unsupported_attribute", place(node), what=local, attribute=attribute, value=value)


def _allowed(namespace: str, attribute: str, value: str, word: Word) -> bool:
    if namespace:
        return namespace != XSI or attribute != "type" or value.rpartition(":")[2] in FORMAL
    if attribute in ("id", "name"):
        return True
    if attribute == "language":
        return attribute in word.attributes and "feel" in value.lower()
    return attribute in word.attributes and value in FIXED.get(attribute, (value,))


def _extensions(box: etree._Element, where: str | None, word: Word, report: Report) -> None:
    for attribute, value in box.attrib.items():
        report.add("unsupported_attribute", where, what="extensionElements", attribute=attribute, value=value)
    seen = set()
    for node in box:
        namespace, local = split(node.tag)
        if namespace == ZEEBE and local in word.extensions:
            if local in seen:
                report.add("duplicate_extension", where, what=local)
            seen.add(local)
            _extension(node, where, report)
        elif namespace not in HARMLESS:
            _refuse_extension(node, where, report)


def _extension(node: etree._Element, where: str | None, report: Report) -> None:
    local = split(node.tag)[1]
    for attribute, value in node.attrib.items():
        if attribute not in EXTENSIONS[local]:
            report.add("unsupported_extension", where, what=called(attribute, f"zeebe:{local} "), instead=instead(attribute))
        elif attribute == "bindingType" and value not in ("latest", "deployment"):
            report.add("unsupported_extension", where, what=called(value, "bindingType="), instead=instead(value))
        elif attribute == "bindingType" and (value == "latest") != (local == "calledElement"):
            report.add("call_binding" if local == "calledElement" else "binding", where)
    for child in node:
        namespace, inner = split(child.tag)
        if namespace == ZEEBE and inner in EXTENSION_CHILDREN.get(local, ()):
            _extension(child, where, report)
        else:
            _refuse_extension(child, where, report)
