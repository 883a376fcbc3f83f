"""Names are found by characters, syllables and initials."""

import pytest

from engine import names
from engine.vault import Vault


def finds(name: str, text: str) -> bool:
    tokens = names.tokens(name)
    return any(reading <= tokens for reading in names.readings(text))


@pytest.mark.parametrize("text", ["张三", "张", "三", "zhangsan", "zhang san", "Zhang San", "zs", "ZS", "zhang", "san", " 张三 ", "张 san"])
def test_zhang_san_is_found(text):
    assert finds("张三", text)


@pytest.mark.parametrize("text", ["李四", "三张", "lisi", "ls", "zhangsi", "sz", "", "  ", "%", "_", "z", "zha", "张三丰"])
def test_and_not_by_anything_else(text):
    assert not finds("张三", text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("曾小贤", "zengxiaoxian"),  # the reading of the surname, not the commonest one
        ("单雄信", "shan"),
        ("解珍", "xie zhen"),
        ("吕布", "lvbu"),
        ("吕布", "lübu"),
        ("西安娜", "xian"),  # xi'an
        ("先知", "xian"),
        ("欧阳娜娜", "ouyang"),
        ("欧阳娜娜", "oynn"),
        ("阿卜杜拉·买买提", "买买提"),
        ("Maria 李", "maria"),
    ],
)
def test_harder_names(name, text):
    assert finds(name, text)


def test_whole_numbers_are_found_and_parts_are_not():
    tokens = names.number_tokens("138 0000-1111", "99999919500308123x", None)
    for text in ("13800001111", "138 0000 1111", "99999919500308123X"):
        (reading,) = names.readings(text)
        assert reading <= tokens
    assert not any(reading <= tokens for reading in names.readings("13800"))


def lives_at(address: str, text: str) -> bool:
    reading = names.address_reading(text)
    return reading is not None and reading <= names.address_tokens(address)


@pytest.mark.parametrize("text", ["张庄村3号", "张庄村 3号", "张庄村３号", "水泊街道张庄村", "3号院", "张庄村3号院2单元", "村3号"])
def test_an_address_is_found_by_its_parts(text):
    assert lives_at("水泊街道张庄村 3 号院2单元", text)


@pytest.mark.parametrize("text", ["张庄村13号", "张庄村", "李庄村3号", "3", "33号", "13800001111"])
def test_and_not_by_others(text):
    assert not lives_at("水泊街道张家庄 3 号", text)


@pytest.mark.parametrize("text", ["张三", "王集", "李楼", "zhangsan", "欧阳娜娜", "", "号", "12"])
def test_a_name_is_not_looked_for_in_addresses(text):
    assert names.address_reading(text) is None


def test_long_and_hostile_queries_stay_small():
    for text in ("a" * 10_000, "张" * 10_000, "xianxianxianxianxianxianxian", "zs " * 1000, "\x00\ud800"):
        readings = names.readings(text)
        assert len(readings) <= 8 and all(len(reading) <= names.LONGEST for reading in readings)


def test_the_stored_form_tells_neither_name_nor_that_two_registers_share_it():
    vault = Vault(bytes(32))
    clients, people = (set(names.keyed(vault, "c", register, names.tokens("张三"))) for register in ("client", "person"))
    assert len(clients) == len(names.tokens("张三")) and not clients & people
    assert all("张" not in token and len(token) == 32 for token in clients)
