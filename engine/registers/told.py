"""What registers say is wrong with a value or a line: one table, Chinese first, English beside it."""

# code → (Chinese, English). {facts} are numbers, labels, usernames and what somebody typed into a field that names no person.
MESSAGES: dict[str, tuple[str, str]] = {
    "required": ("请填写此项", "Please fill this in"),
    "unknown": ("没有这个栏目", "There is no such field"),
    "kept": ("由登记人填写，本人不能填", "Filled in by who keeps the register, not by the person"),
    "text": ("应为文字", "This must be text"),
    "characters": ("含有无法保存的字符", "It contains characters that cannot be stored"),
    "too_long": ("不超过 {count} 个字", "At most {count} characters"),
    "number": ("应为数字，例如 12 或 3.5", "This must be a number, such as 12 or 3.5"),
    "too_small": ("不能小于 0", "It must not be less than 0"),
    "too_large": ("不能大于 {bound}", "It must not be more than {bound}"),
    "date": ("应为日期，例如 2026-03-01、2026/3/1 或 2026年3月1日", "This must be a date, such as 2026-03-01, 2026/3/1 or 2026年3月1日"),
    "ambiguous": ("分不清哪个是月、哪个是日，请写成 2026-03-01", "Month and day cannot be told apart; write 2026-03-01"),
    "no_such_day": ("没有这一天", "There is no such day"),
    "far": ("应在 1950 年到 2100 年之间", "It must lie between 1950 and 2100"),
    "time": ("应为时间，例如 09:30", "This must be a time, such as 09:30"),
    "moment": ("应为日期和时间，例如 2026-03-01 09:30", "This must be a date and time, such as 2026-03-01 09:30"),
    "choice": ("只能是：{allowed}", "It must be one of: {allowed}"),
    "boolean": ("应为“是”或“否”", "This must be yes or no"),
    "order": ("不能早于“{field}”", "It must not be before “{field}”"),
    "no_person": ("没有这个人，或者不在您管理的单位", "There is no such person at the units you look after"),
    "several_people": ("有几个人叫这个名字，请改用用户名：{candidates}", "Several people have this name; use a username: {candidates}"),
    "no_unit": ("没有这个单位，或者不归您管理", "There is no such unit among those you look after"),
    "several_units": ("有几个单位叫这个名字，请改用编号：{candidates}", "Several units have this name; use a key: {candidates}"),
    "no_client": ("没有这个服务对象，或者不在您管理的单位", "There is no such client at the units you look after"),
    "several_clients": ("有几名服务对象叫这个名字，请写明单位或改用编号", "Several clients have this name; add the unit or use the id"),
    "no_case": ("没有这个个案，或者您无权查看", "There is no such case, or you may not see it"),
    "erased": ("资料已按规定清除", "The data were erased"),
    # of a file
    "encoding": ("文件编码应为 UTF-8、GBK（GB 18030）或 UTF-16", "The file must be in UTF-8, GBK (GB 18030) or UTF-16"),
    "too_big": ("文件太大，最多 {count} KB", "The file is too large, {count} KB at most"),
    "too_many": ("行数太多，最多 {count} 行", "Too many lines, {count} at most"),
    "no_lines": ("文件里没有可导入的内容", "The file holds nothing to import"),
    "quotes": ("引号没有配对", "A quotation mark has no partner"),
    "cells": ("应有 {count} 列，实有 {found} 列", "There should be {count} columns and are {found}"),
    "no_column": ("标题行缺少“{column}”", "The header lacks “{column}”"),
    "unknown_column": ("不认识标题“{column}”", "Unknown header “{column}”"),
    "column_twice": ("标题“{column}”出现了两次", "The header “{column}” is there twice"),
    "duplicate": ("与第 {line} 行重复", "The same as line {line}"),
}


class Told(str):
    """A message in Chinese that can be said in English too; it is a plain `str` wherever one is wanted."""

    english: str

    def __new__(cls, code: str, **facts) -> "Told":
        """`code`: a key of MESSAGES; `facts` fill it. A fact may itself be a pair (Chinese, English)."""
        chinese, english = (
            template.format(**{name: value[language] if isinstance(value, tuple) else value for name, value in facts.items()})
            for language, template in enumerate(MESSAGES[code])
        )
        self = super().__new__(cls, chinese)
        self.english = english
        return self


class Wrong(ValueError):
    """A value or line that cannot be taken. `told` says why."""

    def __init__(self, code: str, **facts):
        """As Told."""
        self.told = Told(code, **facts)
        super().__init__(self.told)
