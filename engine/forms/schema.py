"""form-js schema (JSON, schemaVersion 16 and later) → compiled Form. What is not supported here is refused, with the component's id.

Source of the schema: @bpmn-io/form-js 1.23 and its editor's properties panel. A property that form-js does not know is refused too:
it would be ignored silently.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from engine.exceptions import DeployRefused
from engine.findings import Finding, errors
from engine.forms import values
from engine.forms.examiner import Examiner
from engine.forms.form import Form
from engine.forms.model import CHOICES, CONTAINERS, KEYED, LIST_CAP, MISSING, Component
from engine.forms.parts import attributes_of, choices_of, rules_of

OLDEST_VERSION = 16
NEWEST_VERSION = 19
MOST_COMPONENTS = 500
DEEPEST = 8

_ANY = {"type", "id", "layout", "conditional", "properties", "versionTag"}
_FIELD = _ANY | {"key", "label", "description", "defaultValue", "readonly", "disabled", "validate"}
_CHOICE = _FIELD | {"values", "valuesKey", "valuesExpression"}
_BOX = _ANY | {"path", "label", "showOutline", "verticalAlignment", "components"}
_TIMES = {"subtype", "dateLabel", "timeLabel", "use24h", "disallowPassedDates", "timeInterval", "timeSerializingFormat"}
_LIST = {"readonly", "isRepeating", "allowAddRemove", "defaultRepetitions", "disableCollapse", "nonCollapsedItems", "description"}
PROPERTIES: dict[str, set[str]] = {
    "textfield": _FIELD | {"appearance"},
    "textarea": _FIELD,
    "number": _FIELD | {"appearance", "decimalDigits", "increment", "serializeToString"},
    "datetime": _FIELD | _TIMES,
    "checkbox": _FIELD,
    "checklist": _CHOICE,
    "radio": _CHOICE,
    "select": _CHOICE | {"searchable"},
    "taglist": _CHOICE,
    "text": _ANY | {"text", "strict", "label"},
    "group": _BOX,
    "dynamiclist": _BOX | _LIST,
    "expression": _ANY | {"key", "expression", "computeOn", "label", "description"},
    "separator": _ANY,
    "spacer": _ANY | {"height"},
    "image": _ANY | {"source", "alt", "label"},
    "table": _ANY | {"label", "dataSource", "rowCount", "columns", "columnsExpression"},
    "button": _ANY | {"label", "action", "key"},
}
_ROOT = {"type", "id", "components", "schemaVersion", "exporter", "versionTag", "generated", "properties"} | {
    "executionPlatform",
    "executionPlatformVersion",
}
_REFUSED = {
    "html": ("HTML 视图可以夹带脚本和外部内容，请改用文本视图", "HTML views can carry scripts and outside content; use a text view"),
    "iframe": ("内嵌网页会把个人信息带出本系统", "embedded pages carry personal data out of the system"),
    "filepicker": ("附件还不能通过表单上传", "files cannot be uploaded through forms yet"),
    "documentPreview": ("附件还不能在表单里预览", "documents cannot be previewed in forms yet"),
}
_SEGMENT = re.compile(r"[^\W\d]\w{0,63}")
# Names that JavaScript or FEEL would take for something else, and that of the page's own input.
_RESERVED = {"constructor", "prototype", "csrf_token", "null", "true", "false"}
_SPECIAL = {"this", "parent", "i", "_this_", "_parent_", "_i_"}


def compile_form(schema: Mapping[str, Any], names: Iterable[str] = ()) -> Form:
    """Compile `schema` or raise DeployRefused with every finding. `names`: variable names of several words that its FEEL may use."""
    form, findings = _Compiler(names).run(schema)
    faults = errors(findings)
    if faults or form is None:
        raise DeployRefused(faults)
    return form


def examine_form(schema: Mapping[str, Any], names: Iterable[str] = ()) -> list[Finding]:
    """Every fault and remark about `schema`."""
    return _Compiler(names).run(schema)[1]


class _Compiler(Examiner):
    """Walks the schema once."""

    def __init__(self, names):
        super().__init__(names)
        self.ids: set[str] = set()
        self.tries: dict[str, dict] = {"": {}}
        self.count = 0
        self.live = False
        self.growing = 0  # enclosing lists whose entries can be added or removed
        self.frozen = False  # inside a read-only list
        self.entries = 1  # that the enclosing lists begin with, together

    def run(self, schema: Any) -> tuple[Form | None, list[Finding]]:
        """The form (None if it is none at all) and the findings."""
        if not isinstance(schema, Mapping) or not isinstance(schema.get("components"), list):
            self.fault(None, "form-schema", "不是 form-js 表单：没有 components", "not a form-js form: no components")
            return None, self.findings
        self.root(schema)
        fields = self.components(schema["components"], "", (), "", 0)
        identity = schema.get("id")
        form = Form(
            id=identity if isinstance(identity, str) else "",
            fields=fields,
            keys=frozenset(self.tries[""]),
            names=frozenset(self.names - _SPECIAL),
            live_names=frozenset(self.live_names - _SPECIAL),
            findings=tuple(finding for finding in self.findings if finding.severity != "error"),
            live=self.live,
            known=MappingProxyType(self.tries),
        )
        return form, self.findings

    def root(self, schema: Mapping) -> None:
        """Check what is said of the form as a whole."""
        version = schema.get("schemaVersion")
        if isinstance(version, bool) or not isinstance(version, int) or version < OLDEST_VERSION:
            self.fault(
                None,
                "form-schema",
                f"schemaVersion 应为 {OLDEST_VERSION} 或更高，请用新版编辑器打开并保存",
                f"schemaVersion must be {OLDEST_VERSION} or later; save the form in a current editor",
            )
        elif version > NEWEST_VERSION:
            self.fault(
                None,
                "form-schema",
                f"schemaVersion {version} 比本系统认识的 {NEWEST_VERSION} 新",
                f"schemaVersion {version} is newer than {NEWEST_VERSION}",
                severity="warning",
            )
        if schema.get("type") != "default":
            self.fault(None, "form-schema", "根元素的 type 应为 default", "the root's type must be default")
        if not isinstance(schema.get("id"), str) or not schema["id"]:
            self.fault(None, "form-schema", "表单没有 id", "the form has no id")
        self.unknown(None, schema, _ROOT)

    def components(self, found, scope, prefix, place, depth) -> tuple[Component, ...]:
        """`found` compiled; `scope` is the id of the nearest list, `prefix` the path of the groups inside it."""
        if not isinstance(found, list):
            self.fault(place or None, "form-schema", "components 应为列表", "components must be a list")
            return ()
        if depth > DEEPEST:
            self.fault(place or None, "form-schema", f"嵌套超过 {DEEPEST} 层", f"nested deeper than {DEEPEST} levels")
            return ()
        compiled = []
        for index, source in enumerate(found):
            self.count += 1
            if self.count > MOST_COMPONENTS:
                if self.count == MOST_COMPONENTS + 1:
                    self.fault(None, "form-schema", f"组件超过 {MOST_COMPONENTS} 个", f"more than {MOST_COMPONENTS} components")
                break
            component = self.component(source, scope, prefix, f"{place}_{index}" if place else str(index), depth)
            if component is not None:
                compiled.append(component)
        return tuple(compiled)

    def component(self, source, scope, prefix, place, depth) -> Component | None:
        """One component, or None if it is refused or only a button."""
        kind, identity = self.identify(source, place)
        if kind is None:
            return None
        self.unknown(identity, source, PROPERTIES[kind])
        if kind == "button":  # the page has its own
            return None
        path = self.claim(source, identity, kind, scope, prefix)
        live: dict[str, str] = {}
        made: dict[str, Any] = {
            "kind": kind,
            "id": identity,
            "path": () if kind == "group" else path,
            "label": self.text(identity, self.label(kind, source), "label"),
            "description": self.text(identity, source.get("description"), "description"),
            "hide": self.hide(identity, source.get("conditional"), live),
            "attributes": attributes_of(self, identity, kind, source),
        }
        if kind == "expression":
            made["expression"] = self.expression(identity, source.get("expression"), "expression", live, "expression")
            if made["expression"] is None:
                self.fault(identity, "form-feel", "没有可用的表达式", "there is no usable expression")
        elif kind in KEYED:
            self.keyed(identity, kind, source, made, live)
        elif kind == "text":
            made["text"] = self.text(identity, source.get("text"), "text")
        elif kind == "table":
            made["expression"] = self.expression(identity, source.get("dataSource"), "dataSource")
        elif kind in CONTAINERS:
            made["children"] = self.inside(source, identity, kind, scope, path, place, depth, made)
        self.live = self.live or bool(live.keys() - {"required"})
        return Component(**made, live=MappingProxyType(live))

    def identify(self, source, place) -> tuple[str | None, str]:
        """Kind and id of a component; no kind if it cannot be used."""
        if not isinstance(source, Mapping):
            self.fault(None, "form-schema", f"第 {place} 个组件不是对象", f"component {place} is not an object")
            return None, ""
        kind = source.get("type")
        shown = str(kind)[:40]
        identity = source.get("id", f"{shown}_{place}")
        if not isinstance(identity, str) or not identity or len(identity) > 200:
            self.fault(None, "form-schema", f"第 {place} 个组件的 id 无效", f"component {place} has a bad id")
            return None, ""
        if identity in self.ids:
            self.fault(identity, "form-id", f"id“{identity}”重复", f"the id '{identity}' is used twice")
        self.ids.add(identity)
        if isinstance(kind, str) and kind in _REFUSED:
            reason, reason_en = _REFUSED[kind]
            self.fault(identity, "form-unsupported", f"不支持“{kind}”组件：{reason}", f"'{kind}' is not supported: {reason_en}")
            return None, identity
        if not isinstance(kind, str) or kind not in PROPERTIES:
            self.fault(identity, "form-unsupported", f"不认识的组件“{shown}”", f"unknown component '{shown}'")
            return None, identity
        return kind, identity

    @staticmethod
    def label(kind, source):
        """Dates and times carry their labels under names of their own."""
        if kind == "datetime" and not source.get("label"):
            return source.get("dateLabel") or source.get("timeLabel")
        return source.get("label")

    def hide(self, identity, conditional, live):
        """`conditional.hide`, compiled."""
        if conditional is None:
            return None
        if not isinstance(conditional, Mapping):
            self.fault(identity, "form-schema", "conditional 应为对象", "conditional must be an object")
            return None
        self.unknown(identity, conditional, {"hide"}, "conditional.")
        return self.condition(identity, conditional.get("hide"), "conditional.hide", live, "hide")

    def inside(self, source, identity, kind, scope, path, place, depth, made) -> tuple[Component, ...]:
        """The components of a group, or of a dynamic list, which opens a scope of its own."""
        children = source.get("components", [])
        if kind == "group":
            return self.components(children, scope, path, place, depth + 1)
        self.tries[identity] = {}
        readonly = source.get("readonly", False)
        if not isinstance(readonly, bool):
            self.fault(identity, "form-list", "列表的 readonly 应为 true 或 false", "readonly of a list must be true or false")
        made["readonly"] = readonly is True or self.frozen
        grows = made["attributes"]["allow_add_remove"] and not made["readonly"]
        if not grows and self.growing:
            self.fault(
                identity,
                "form-list",
                "条目固定的列表不能放在可增删条目的列表里：服务器无法核对条目",
                "a list of fixed entries cannot stand inside one whose entries can be removed: the server could not check them",
            )
        outside, self.frozen, before = self.frozen, made["readonly"], self.entries
        self.entries *= max(made["attributes"]["repetitions"], 1)
        if self.entries > LIST_CAP:
            self.fault(
                identity,
                "form-list",
                f"列表套列表，一打开就有 {self.entries} 个条目，最多 {LIST_CAP} 个",
                f"lists inside lists begin with {self.entries} entries, at most {LIST_CAP}",
            )
        self.growing += grows
        compiled = self.components(children, identity, (), place, depth + 1)
        self.growing -= grows
        self.frozen, self.entries = outside, before
        if not compiled:
            self.fault(identity, "form-list", "列表里没有栏目", "the list has no fields")
        return compiled

    def claim(self, source, identity, kind, scope, prefix) -> tuple[str, ...]:
        """The path of the component in its scope, entered so that no two components write the same value."""
        if kind not in KEYED and kind not in CONTAINERS:
            return ()
        name = "path" if kind in CONTAINERS else "key"
        written = source.get(name)
        if kind == "group" and not written:
            return prefix
        segments = tuple(written.split(".")) if isinstance(written, str) else ()
        good = all(_SEGMENT.fullmatch(s) and not s.startswith("_") and s not in _RESERVED for s in segments)
        if not segments or not good or len(segments) > DEEPEST:
            shown = f"“{written[:60]}”" if isinstance(written, str) and written else "为空，"
            self.fault(
                identity,
                "form-key",
                f"{name} {shown}不能用作变量名：以字母或汉字开头，只含字母、汉字、数字和下划线，用点分层",
                f"{name} {str(written)[:60]!r} is no variable name: letters, digits and underscores, parted by dots",
            )
            return ()
        path = (*prefix, *segments)
        node = self.tries[scope]
        for segment in path[:-1]:
            node = node.setdefault(segment, {})
            if not isinstance(node, dict):
                return self.taken(identity, path)
        if kind == "group":
            node = node.setdefault(path[-1], {})
            return path if isinstance(node, dict) else self.taken(identity, path)
        if path[-1] in node:
            return self.taken(identity, path)
        # A list's value is open to its own scope only; "" marks a plain value.
        node[path[-1]] = identity if kind == "dynamiclist" else ""
        return path

    def taken(self, identity, path) -> tuple[str, ...]:
        """Note that another component has the path."""
        shown = ".".join(path)
        self.fault(identity, "form-key", f"键“{shown}”与另一个组件重复", f"the key '{shown}' belongs to another component")
        return ()

    def keyed(self, identity, kind, source, made, live) -> None:
        """What every input has: read-only, disabled, rules, options, default."""
        readonly = self.frozen or source.get("readonly", False)
        if isinstance(readonly, str):
            readonly = self.condition(identity, readonly, "readonly", live, "readonly") or False
        elif not isinstance(readonly, bool):
            self.fault(identity, "form-schema", "readonly 应为 true、false 或 FEEL 表达式", "readonly must be true, false or FEEL")
            readonly = False
        disabled = source.get("disabled", False)
        if not isinstance(disabled, bool):
            self.fault(identity, "form-schema", "disabled 应为 true 或 false", "disabled must be true or false")
        if (readonly or disabled) and self.growing:
            self.fault(
                identity,
                "form-readonly",
                "可增删条目的列表里不能有只读或停用的栏目：删去一条之后，服务器无法核对它属于哪一条",
                "no read-only or disabled field in a list whose entries can be removed: the server could not tell whose it was",
            )
        made["readonly"], made["disabled"] = readonly, disabled is True
        made["rules"] = rules_of(self, identity, kind, source.get("validate", {}), live)
        if kind in CHOICES:
            made["choices"] = choices_of(self, identity, source)
        if source.get("defaultValue") not in (None, ""):
            made["default"] = self.default(identity, source["defaultValue"], Component(**made))

    def default(self, identity, raw, component) -> Any:
        """The default as a FEEL value; MISSING (with a finding) if it does not fit the field."""
        try:
            if component.kind == "number" and isinstance(raw, str):
                raw = values.numeral(raw.strip())
            value = values.read(component, raw, None)
            static = component.choices.static if component.choices else None
            if static is not None:
                for chosen in value if isinstance(value, list) else [value]:
                    if not any(values.same(chosen, option.value) for option in static):
                        raise values.Wrong("wrong_choice")
            return value
        except values.Wrong as wrong:
            self.fault(
                identity, "form-default", f"默认值不合适：{wrong.message}", f"the default does not fit: {wrong.message.english}"
            )
            return MISSING
