"""What a form tells the person who fills it in: one table, Chinese first, English beside it."""

# code → (Chinese, English). {facts} are numbers, bounds and examples, never what was typed: messages may be logged.
MESSAGES: dict[str, tuple[str, str]] = {
    "required": ("请填写此项。", "Please fill this in."),
    "required_choice": ("请选择一项。", "Please choose one."),
    "required_choices": ("请至少选择一项。", "Please choose at least one."),
    "required_check": ("请勾选此项。", "Please tick this."),
    "wrong_text": ("此项应为文字。", "This must be text."),
    "wrong_number": ("请填写数字，例如 12 或 3.5。", "Please enter a number, such as 12 or 3.5."),
    "wrong_date": ("请填写有效的日期，例如 2026-01-31。", "Please enter a valid date, such as 2026-01-31."),
    "wrong_time": ("请填写有效的时间，例如 09:30。", "Please enter a valid time, such as 09:30."),
    "wrong_datetime": (
        "请填写有效的日期和时间，例如 2026-01-31T09:30。",
        "Please enter a valid date and time, such as 2026-01-31T09:30.",
    ),
    "wrong_check": ("此项应为“是”或“否”。", "This must be yes or no."),
    "wrong_choice": ("所选内容不在可选范围内，请重新选择。", "What was chosen is not among the options. Please choose again."),
    "wrong_choices": ("此项应为若干选项的列表。", "This must be a list of options."),
    "wrong_list": ("此项应为列表。", "This must be a list."),
    "wrong_group": ("此项应为一组栏目。", "This must be a group of fields."),
    "unknown": ("未知的栏目。", "Unknown field."),
    "bad_characters": ("含有无法保存的字符，请删去后重新填写。", "It contains characters that cannot be stored. Please remove them."),
    "too_long": ("最多填写 {count} 个字。", "At most {count} characters."),
    "too_short": ("至少填写 {count} 个字。", "At least {count} characters."),
    "too_small": ("不能小于 {bound}。", "It must not be less than {bound}."),
    "too_large": ("不能大于 {bound}。", "It must not be more than {bound}."),
    "integer": ("请填写整数。", "Please enter a whole number."),
    "decimals": ("最多保留 {count} 位小数。", "At most {count} decimals."),
    "step": ("应为 {step} 的整数倍，例如 {below} 或 {above}。", "It must be a multiple of {step}, such as {below} or {above}."),
    "digits": ("数字最多 34 位。", "A number has at most 34 digits."),
    "pattern": ("格式不正确，请按说明填写。", "The format is not right. Please follow the hint."),
    "email": ("请填写有效的电子邮箱，例如 name@example.cn。", "Please enter a valid e-mail address, such as name@example.cn."),
    "phone": (
        "请填写有效的电话号码，例如 13800138000 或 0530-7321234。",
        "Please enter a valid telephone number, such as 13800138000 or +8613800138000.",
    ),
    "past_date": ("不能早于今天。", "It must not be before today."),
    "too_few_items": ("至少填写 {count} 条。", "At least {count} entries."),
    "too_many_items": ("最多填写 {count} 条。", "At most {count} entries."),
    "fixed_items": ("这里的条目不能增加或删除，应为 {count} 条。", "Entries cannot be added or removed here; there are {count}."),
}


class Message(str):
    """A message in Chinese that remembers what it says, so that it can be said in English: it is a plain `str` wherever one is wanted."""

    code: str
    facts: dict

    def __new__(cls, code: str, **facts) -> "Message":
        """`code`: a key of MESSAGES; `facts` fill its template."""
        self = super().__new__(cls, MESSAGES[code][0].format(**facts))
        self.code = code
        self.facts = facts
        return self

    @property
    def template(self) -> str:
        """The Chinese template, unfilled: the message id of a catalogue."""
        return MESSAGES[self.code][0]

    @property
    def english(self) -> str:
        """The same in English."""
        return MESSAGES[self.code][1].format(**self.facts)

    def __reduce__(self):
        """Copies and pickles keep code and facts (a plain `str` subclass would lose them)."""
        return _again, (self.code, self.facts)


def _again(code: str, facts: dict) -> Message:
    return Message(code, **facts)
