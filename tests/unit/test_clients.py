"""What may be written down of a person served."""

from datetime import date

import pytest

from engine.clients import check_digit, clean
from engine.exceptions import InvalidForm

TODAY = date(2026, 11, 24)
WHOLE = {
    "name": "张三",
    "birth_date": "1950-03-08",
    "gender": "male",
    "id_number": "99999919500308123" + check_digit("99999919500308123"),
    "phone": "000-1234-5678",
    "address": "甲镇张庄村1号",
    "categories": ["extreme_poverty", "dementia"],
}


def test_good_data_come_back_trimmed_and_without_what_is_empty():
    assert clean(WHOLE, TODAY) == WHOLE
    assert clean({"name": " 张三 ", "phone": "", "address": None, "categories": []}, TODAY) == {"name": "张三"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "张" * 41}, "name"),
        ({"name": ["张三"]}, "name"),
        ({"name": "张\x00三"}, "name"),
        ({"name": "张\ud800"}, "name"),
        ({"name": "!!"}, "name"),
        ({"birth_date": "8.3.1950"}, "birth_date"),
        ({"birth_date": 19500308}, "birth_date"),
        ({"birth_date": "2050-03-08"}, "birth_date"),
        ({"birth_date": "1951-03-08"}, "birth_date"),  # not that of the identity number
        ({"gender": "m"}, "gender"),
        ({"gender": {"a": 1}}, "gender"),
        ({"id_number": "999999195003081230"}, "id_number"),
        ({"id_number": "1234"}, "id_number"),
        ({"id_number": 1234}, "id_number"),
        ({"phone": "call me"}, "phone"),
        ({"address": "某" * 201}, "address"),
        ({"categories": ["rich"]}, "categories"),
        ({"categories": "orphan"}, "categories"),
        ({"categories": [["orphan"]]}, "categories"),
        ({"shoe_size": 41}, "shoe_size"),
    ],
)
def test_what_is_wrong_is_told_by_field(change, field):
    with pytest.raises(InvalidForm) as refusal:
        clean(WHOLE | change, TODAY)
    assert list(refusal.value.errors) == [field]


def test_every_fault_is_told_at_once():
    with pytest.raises(InvalidForm) as refusal:
        clean({"gender": "m", "phone": "?"}, TODAY)
    assert set(refusal.value.errors) == {"name", "gender", "phone"}


def test_the_check_digit_of_the_standards_example():
    """GB 11643-1999, annex: 11010519491231002X."""
    assert check_digit("11010519491231002") == "X"
