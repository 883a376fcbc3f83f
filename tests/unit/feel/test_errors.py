"""What an author is told: the line, the column, what was expected."""

import pytest

from engine import feel
from engine.exceptions import EngineError

PLACES = [
    ("1 +", 1, 4, "表达式"),
    ("(1 + 2", 1, 7, "「)」"),
    ("if a\nthen b", 2, 7, "「else」"),
    ("for x of xs return x", 1, 7, "「in」"),
    ("for x in xs x", 1, 13, "「return」"),
    ("[1, 2,]", 1, 7, "表达式"),
    ("age in 60..80", 1, 10, "运算符"),
    ("@2026-01-31", 1, 1, "「@」后用引号的字面量，例如「@\"2026-01-31\"」"),
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


SLIPS = [
    ("age > = 60", "「>=」，可能想写「>=」"),
    ("age => 60", "「=>」，可能想写「>=」"),
    ("age =< 60", "「=<」，可能想写「<=」"),
    ("age == 60", "「==」，可能想写「=」"),
    ("age <> 60", "「<>」，可能想写「!=」"),
    ("age ≥ 60", "可能想写「>=」"),
    ("a && b", "「&」，可能想写「and」"),
    ("a || b", "「|」，可能想写「or」"),
    ("!a", "「!」，可能想写「not(…)」"),
    ("not a", "可能想写「not(…)」"),
    ("a AND b", "「AND」，可能想写「and」"),
    ("If a then b else c", "可能想写「if」"),
    ("a is not null", "可能想写「=」"),
    ("a > 1 ? 2 : 3", "可能想写「if … then … else …」"),
    ("risk = 'high'", "「'」，可能想写「\"」"),
    ("risk = “高”", "「“」，可能想写「\"」"),
    ("[1; 2]", "「;」，可能想写「,」"),
    ("5 % 2", "「%」，可能想写「modulo(…, …)」"),
    ("2 ^ 3", "「^」，可能想写「**」"),
    ('"a" & "b"', "「&」，可能想写「+」"),
    ("a ++ b", "「++」，可能想写「+」"),
    ("1 instance of integer", "「integer」，可能想写「number」"),
    ("some v in visits where v.day", "「where」，可能想写「satisfies」"),
    ("a between 1 to 2", "「to」，可能想写「and」"),
    ("a in 1..2", "「..」，可能想写「[… .. …]」"),
    ("年龄 大于 60", "可能想写「>」"),
    ("年龄＞60", "全角的「＞」，可能想写「>」"),
]


@pytest.mark.parametrize(("text", "told"), SLIPS)
def test_habits_from_elsewhere_are_recognised(text, told):
    """What other languages and speech say, and what FEEL says for it."""
    with pytest.raises(feel.FeelSyntaxError) as caught:
        feel.compile(text)
    assert told in caught.value.message


def test_a_name_nearly_known_is_told():
    """A slip in a name of several words."""
    with pytest.raises(feel.FeelSyntaxError, match="没有叫做「full nam」的名称，有「full name」"):
        feel.compile('full nam = "张三"', ["full name"])


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
