"""What an author is told: the line, the column, what was expected."""

import pytest

from engine import feel
from engine.exceptions import EngineError

PLACES = [
    ("1 +", 1, 4, "表达式"),
    ("(1 + 2", 1, 7, "「)」"),
    ("if a\nthen b", 2, 7, "「else」"),
    ("for x of xs return x", 1, 21, "「in」"),
    ("for in in xs return 1", 1, 5, "名称"),
    ("some x in xs", 1, 13, "「satisfies」"),
    ("{a 1}", 1, 5, "「:」"),
    ("{a: 1, a: 2}", 1, 8, "不重复的名称"),
    ("a b", 1, 3, "运算符"),
    ("1 instance of foo", 1, 15, "类型的名称"),
    ("a between 1 or 2", 1, 13, "「and」"),
    ("f(a: 1, 2)", 1, 9, "参数名和「:」"),
    ("[1..2", 1, 6, "「]」"),
    ("a.1", 1, 2, "运算符"),
    ('"abc', 1, 1, "完整的字符串"),
    ('"\\uD83D"', 1, 1, "有效的 Unicode 字符"),
    ("/* abc", 1, 1, "完整的注释"),
    ("1 # 2", 1, 3, "数字、字符串、名称或运算符"),
    ("1e999999", 1, 1, "34 位十进制范围内的数字"),
    ('@"2026-02-30"', 1, 1, "日期、时间或时长的字面量"),
    ("", 1, 1, "表达式"),
    ("and", 1, 1, "表达式"),
]


@pytest.mark.parametrize(("text", "line", "column", "expected"), PLACES)
def test_place_and_expectation(text, line, column, expected):
    """Line and column count from one."""
    with pytest.raises(feel.FeelSyntaxError) as caught:
        feel.compile(text)
    error = caught.value
    assert (error.line, error.column) == (line, column)
    assert expected in error.expected


def test_message_is_chinese_and_engine_error():
    """The web layer shows it as any other refusal."""
    with pytest.raises(EngineError) as caught:
        feel.compile("年龄 >= ")
    assert caught.value.message == "表达式第 1 行第 7 列有误：这里应为表达式，却是表达式的结尾。"
    assert caught.value.code == "feel_syntax_error"
    assert caught.value.hint


def test_full_width_punctuation_is_recognised():
    """A Chinese keyboard writes “，” where FEEL wants “,”."""
    with pytest.raises(feel.FeelSyntaxError, match="全角的「，」，可能想写「,」"):
        feel.compile("min(1，2)")


def test_unknown_name_of_several_words_is_named():
    """The commonest mistake: a variable that is not in scope."""
    with pytest.raises(feel.FeelSyntaxError, match="没有叫做「full name」的名称"):
        feel.compile('full name = "张三"')


@pytest.mark.parametrize(("text", "column"), [("function(x) external {java: {}}", 13), ("a...b", 2)])
def test_unsupported_constructs_are_refused_by_name(text, column):
    """Refused with their place, not misread."""
    with pytest.raises(feel.FeelUnsupported) as caught:
        feel.compile(text)
    assert caught.value.column == column


def test_control_characters_do_not_reach_the_message():
    """Messages go to logs and terminals."""
    with pytest.raises(feel.FeelSyntaxError) as caught:
        feel.compile("1 \x1b[31m")
    assert "\x1b" not in caught.value.message
