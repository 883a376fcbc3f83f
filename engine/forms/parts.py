"""The parts of a component that compile alike whatever it is: its attributes, its rules, its options."""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from engine.forms import values
from engine.forms.examiner import Examiner
from engine.forms.model import LIST_CAP, OPTION_CAP, Choices, Option, Rules
from engine.forms.patterns import Pattern, PatternRefused

_VALIDATE = {"required", "min", "max", "minLength", "maxLength", "pattern", "patternErrorMessage", "validationType"}
_BOUNDS = {
    "min": ("number",),
    "max": ("number",),
    "minLength": ("textfield", "textarea"),
    "maxLength": ("textfield", "textarea"),
}
_SUBTYPES = ("date", "time", "datetime")
_TIME_FORMATS = ("utc_offset", "utc_normalized", "no_timezone")
# Ours, among the editor's “custom properties”; others are the author's business.
_TEXT_HINTS = ("label_en", "description_en", "placeholder", "autocomplete")
_VARIABLE = re.compile(r"[^\W\d]\w{0,63}")


def attributes_of(examiner: Examiner, element: str, kind: str, source: Mapping) -> Mapping[str, Any]:
    """What only concerns this kind, checked, under names of our own; see each branch."""
    found: dict[str, Any] = {}
    layout = source.get("layout")
    if isinstance(layout, Mapping):
        if isinstance(layout.get("row"), str):
            found["row"] = layout["row"]
        if isinstance(layout.get("columns"), int) and 1 <= layout["columns"] <= 16:
            found["columns"] = layout["columns"]
    properties = source.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    for name in _TEXT_HINTS:
        if isinstance(properties.get(name), str) and len(properties[name]) <= 500:
            found[name] = properties[name]
    if kind in ("group", "dynamiclist") and isinstance(properties.get("party"), str) and isinstance(source.get("path"), str):
        found |= {"party": properties["party"], "party_path": source["path"]}  # see engine.parties
    if properties.get("paper") == "no":  # for the station's eyes: not on a paper that others sign (engine.documents)
        found["off_paper"] = True
    if kind == "textarea":
        found["rows"] = _whole(examiner, element, properties, "rows", 2, 40, 4)
    if kind in ("textfield", "number"):
        _appearance(examiner, element, source, found)
    if kind == "number":
        _number(examiner, element, source, found)
    elif kind == "datetime":
        _datetime(examiner, element, source, found)
    elif kind == "dynamiclist":
        _list(examiner, element, source, properties, found)
    elif kind == "expression":
        found["compute_on"] = source.get("computeOn", "change")
        if found["compute_on"] not in ("change", "presubmit"):
            examiner.fault(element, "form-schema", "computeOn 应为 change 或 presubmit", "computeOn must be change or presubmit")
    elif kind == "image":
        _image(examiner, element, source, found)
    elif kind == "table":
        _table(examiner, element, source, found)
    return MappingProxyType(found)


def _whole(examiner, element, source, name, least, most, otherwise):
    raw = source.get(name)
    if raw in (None, ""):
        return otherwise
    try:
        value = int(raw) if isinstance(raw, str) and raw.strip().isascii() else raw
    except ValueError:
        value = None
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    examiner.fault(element, "form-schema", f"{name} 应为 {least} 到 {most} 的整数", f"{name} must be between {least} and {most}")
    return otherwise


def _appearance(examiner, element, source, found):
    appearance = source.get("appearance")
    if not isinstance(appearance, Mapping):
        return
    examiner.unknown(element, appearance, {"prefixAdorner", "suffixAdorner"}, "appearance.")
    for name, key in (("prefix", "prefixAdorner"), ("suffix", "suffixAdorner")):
        if appearance.get(key):
            found[name] = examiner.text(element, appearance[key], f"appearance.{key}")


def _number(examiner, element, source, found):
    found["as_text"] = source.get("serializeToString") is True
    if source.get("decimalDigits") not in (None, ""):
        found["decimals"] = _whole(examiner, element, source, "decimalDigits", 0, 30, None)
    if source.get("increment") not in (None, ""):
        raw = source["increment"]
        try:
            step = values.numeral(raw.strip()) if isinstance(raw, str) else values.number(raw)
        except values.Wrong:
            step = Decimal(0)
        if step > 0:
            found["step"] = step
        else:
            examiner.fault(element, "form-rule", "increment 应为正数", "increment must be a positive number")


def _datetime(examiner, element, source, found):
    subtype = source.get("subtype", "date")
    if subtype not in _SUBTYPES:
        examiner.fault(element, "form-schema", "subtype 应为 date、time 或 datetime", "subtype must be date, time or datetime")
        subtype = "date"
    time_format = source.get("timeSerializingFormat", "no_timezone")
    if time_format not in _TIME_FORMATS:
        examiner.fault(element, "form-schema", f"不认识的 timeSerializingFormat“{time_format}”", "unknown timeSerializingFormat")
        time_format = "no_timezone"
    found["subtype"] = subtype
    found["time_format"] = time_format
    found["no_past"] = source.get("disallowPassedDates") is True and subtype != "time"
    found["interval"] = _whole(examiner, element, source, "timeInterval", 1, 720, None)


def _list(examiner, element, source, properties, found):
    if source.get("isRepeating", True) is not True:
        examiner.fault(element, "form-list", "列表的 isRepeating 应为 true", "isRepeating of a list must be true")
    found["allow_add_remove"] = source.get("allowAddRemove", True) is not False
    found["repetitions"] = _whole(examiner, element, source, "defaultRepetitions", 0, LIST_CAP, 1)
    found["min_items"] = _whole(examiner, element, properties, "minItems", 0, LIST_CAP, 0)
    found["max_items"] = _whole(examiner, element, properties, "maxItems", 1, LIST_CAP, LIST_CAP)


def _image(examiner, element, source, found):
    # Anything but a file of our own would tell another server who looks at whose case, and the content policy forbids it.
    address = source.get("source")
    local = isinstance(address, str) and re.fullmatch(r"/(?![/\\])[\w./-]+", address, re.ASCII) and ".." not in address
    if not local:
        examiner.fault(
            element,
            "form-unsupported",
            "图片只能来自本系统（source 以 / 开头的固定路径），不支持外部地址、data: 和表达式",
            "images must come from this site: a fixed path that begins with /",
        )
    found["source"] = address if local else ""
    found["alt"] = examiner.text(element, source.get("alt"), "alt")


def _table(examiner, element, source, found):
    found["columns_expression"] = examiner.expression(element, source.get("columnsExpression"), "columnsExpression")
    columns = source.get("columns", [])
    good = isinstance(columns, list) and all(
        isinstance(c, Mapping) and isinstance(c.get("key"), str) and isinstance(c.get("label"), str) for c in columns
    )
    if not good or len(columns) > 50:
        examiner.fault(element, "form-schema", "columns 应为 {label, key} 的列表", "columns must be a list of {label, key}")
        columns = []
    if not columns and found["columns_expression"] is None:
        examiner.fault(element, "form-schema", "表格没有列", "the table has no columns")
    found["columns_of_table"] = tuple((column["key"], column["label"]) for column in columns)


def rules_of(examiner: Examiner, element: str, kind: str, source: Any, live: dict) -> Rules:
    """`validate` of a component."""
    if not isinstance(source, Mapping):
        examiner.fault(element, "form-schema", "validate 应为对象", "validate must be an object")
        return Rules()
    examiner.unknown(element, source, _VALIDATE, "validate.")
    required = source.get("required", False)
    if isinstance(required, str) and required.startswith("="):
        required = examiner.expression(element, required, "validate.required", live, "required") or False
    elif not isinstance(required, bool):
        examiner.fault(element, "form-rule", "required 应为 true、false 或 FEEL 表达式", "required must be true, false or FEEL")
        required = False
    bounds = {}
    for name, kinds in _BOUNDS.items():
        if source.get(name) in (None, ""):
            continue
        if kind not in kinds:
            examiner.fault(element, "form-rule", f"{name} 不适用于“{kind}”", f"{name} does not apply to '{kind}'")
            continue
        bound = _bound(examiner, element, name, source[name])
        if bound is not None:
            bounds[name] = bound
    special = source.get("validationType") or None
    if special not in (None, "custom", "email", "phone"):
        examiner.fault(element, "form-rule", "validationType 应为 email 或 phone", "validationType must be email or phone")
    message = source.get("patternErrorMessage")
    return Rules(
        required,
        MappingProxyType(bounds),
        _pattern(examiner, element, kind, source.get("pattern")),
        message if isinstance(message, str) and message else None,
        special if special in ("email", "phone") else None,
    )


def _bound(examiner, element, name, raw):
    """min, max: Decimal; lengths: int; or an Expression of one; None (with a finding) if it is neither."""
    if isinstance(raw, str) and raw.startswith("="):
        return examiner.expression(element, raw, f"validate.{name}")
    try:
        value = values.numeral(raw.strip()) if isinstance(raw, str) else values.number(raw)
    except values.Wrong:
        value = None
    if value is not None and name in ("min", "max"):
        return value
    if value is not None and value == value.to_integral_value() and 0 <= value <= 1_000_000:
        return int(value)
    examiner.fault(element, "form-rule", f"{name} 应为数字或 FEEL 表达式", f"{name} must be a number or FEEL")
    return None


def _pattern(examiner, element, kind, source):
    if source in (None, ""):
        return None
    if not isinstance(source, str) or kind not in ("textfield", "textarea"):
        examiner.fault(element, "form-rule", "pattern 只适用于文字", "pattern applies to text only")
        return None
    try:
        return Pattern(source)
    except PatternRefused as refused:
        examiner.fault(element, "form-pattern", refused.args[0], refused.args[1])
        return None


def choices_of(examiner: Examiner, element: str, source: Mapping) -> Choices:
    """Where the options come from; exactly one of the three places."""
    given = [name for name in ("values", "valuesKey", "valuesExpression") if source.get(name) not in (None, "")]
    if len(given) != 1:
        examiner.fault(
            element,
            "form-options",
            "选项应来自 values、valuesKey、valuesExpression 三者之一",
            "options come from exactly one of values, valuesKey and valuesExpression",
        )
        return Choices(static=())
    raw = source[given[0]]
    if given[0] == "valuesExpression":
        return Choices(expression=examiner.expression(element, raw, "valuesExpression"))
    if given[0] == "valuesKey":
        if not isinstance(raw, str) or not _VARIABLE.fullmatch(raw):
            examiner.fault(element, "form-options", "valuesKey 不是变量名", "valuesKey is no variable name")
            return Choices(static=())
        examiner.names.add(raw)
        return Choices(key=raw)
    return Choices(static=_static(examiner, element, raw))


def _static(examiner, element, raw) -> tuple[Option, ...]:
    if not isinstance(raw, list) or len(raw) > OPTION_CAP:
        examiner.fault(element, "form-options", "values 应为选项的列表", "values must be a list of options")
        return ()
    static: list[Option] = []
    for entry in raw:
        try:
            option = option_of(values.choice(entry))
        except values.Wrong:
            option = None
        if option is None:
            examiner.fault(element, "form-options", "选项应有 label 和 value", "an option needs label and value")
        elif any(values.same(option.value, other.value) for other in static):
            shown = option.label[:40]
            examiner.fault(element, "form-options", f"选项“{shown}”的值重复", f"the value of option '{shown}' is used twice")
        else:
            static.append(option)
    return tuple(static)


def option_of(raw: Any) -> Option | None:
    """One option as form-js normalises it: a primitive stands for itself, an object needs a value and may lack the label."""
    if _primitive(raw):
        return Option(raw, _label(raw))
    if not isinstance(raw, dict):
        return None
    label, value = raw.get("label"), raw.get("value")
    label_en = raw.get("label_en") if isinstance(raw.get("label_en"), str) else None
    if isinstance(label, str) and label and (_primitive(value) or (isinstance(value, (dict, list)) and value)):
        return Option(value, label, label_en)
    return Option(value, _label(value), label_en) if not label and _primitive(value) else None


def _primitive(value: Any) -> bool:
    return isinstance(value, (bool, Decimal)) or (isinstance(value, str) and value != "")


def _label(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return values.plain_number(value) if isinstance(value, Decimal) else value
