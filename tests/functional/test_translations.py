"""Chinese is the source, English is complete: pages, errors of the engine, what fields say."""

import re

import pytest

from engine.audit import Kind
from engine.workflow.steps import KINDS
from webapp import catalogue, words
from webapp.audit.views import FAULTS
from webapp.config import ROOT
from webapp.errors import STATUS, status_of


def test_every_message_has_english():
    """If this fails: `python -m webapp.catalogue`, then fill in what it prints."""
    assert catalogue.untranslated(catalogue.current()) == []


def test_english_keeps_the_parts_to_fill_in():
    parts = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
    for message in catalogue.current():
        if message.id and not isinstance(message.id, tuple):
            assert sorted(parts.findall(message.id)) == sorted(parts.findall(message.string)), message.id


@pytest.mark.parametrize("kind", catalogue.errors(), ids=lambda kind: kind.__name__)
def test_every_error_has_a_status_and_says_what_to_do(kind):
    message, hint = kind.template()
    assert message and (hint or kind.__subclasses__()), "what happened, and what to do next"
    assert any(each in STATUS for each in kind.__mro__[:-1]) or kind.__name__ == "EngineError"
    assert 400 <= status_of(kind.__new__(kind)) <= 507


def test_every_kind_of_event_has_a_name():
    known = set(words.EVENTS)
    assert {str(kind) for kind in Kind} - known == set()
    assert set(KINDS) - known == set()


def test_every_fault_of_the_history_has_english():
    source = (ROOT / "engine" / "verification.py").read_text("utf-8")
    assert set(re.findall(r', "([a-z]+_[a-z]+)", f?"', source)) == FAULTS.keys()


def test_pages_speak_english_once_asked(site):
    visit = site.visit("ft-01-1")
    assert "我的任务" in visit.get("/tasks/").text
    assert visit.get("/language/en?next=/tasks/").headers["Location"] == "/tasks/"
    page = visit.get("/tasks/").text
    assert "You have no tasks" in page and 'lang="en"' in page and "我的" not in page
    assert visit.get("/language/zh?next=//evil.example").headers["Location"] == "/"
    assert visit.get("/language/fr").status_code == 404


def test_refusals_speak_the_language_of_the_reader(site):
    english = {"Accept-Language": "en"}
    told = site.api("ft-01-1").get("/instances/nope", headers=english).json
    assert told["title"] == "Nothing found" and told["detail"].startswith("There is no ")
    told = site.api("ft-01-1").get("/instances?limit=0").json
    assert told["errors"]["limit"] == "应在 1 到 200 之间。"
