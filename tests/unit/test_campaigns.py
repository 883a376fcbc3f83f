"""`make soak` goes on where it was interrupted, plays a seed again, and tells what it did."""

import json
import subprocess
import sys

import pytest

from tests.support.campaigns import render
from tests.support.databases import ROOT

CAMPAIGN = """
import pathlib
import pytest
from hypothesis import given, strategies as st

PLAYED = pathlib.Path({folder!r}) / "played"

@pytest.mark.soak
def test_counts(campaign):
    for number in campaign.rounds(2, 6):
        if number == 3 and not PLAYED.with_name("on").exists():
            raise {trouble}
        with PLAYED.open("a") as file:
            print(number, campaign.dice(number).randrange(10**6), file=file)
        campaign.note(sums=number)

@given(st.integers())
def test_anything(number):
    pass

def test_no_campaign():
    raise AssertionError("not run by a soak")
"""
RUN = """
import pathlib, sys, pytest
import tests.support.campaigns as campaigns
folder = pathlib.Path(sys.argv[1])
campaigns.STATE, campaigns.REPORT = folder / "soak.json", folder / "report.md"
sys.exit(pytest.main(["-m", "soak", "--soak", "-q", "--rootdir", str(folder), "-p", "no:cacheprovider", str(folder)], plugins=[campaigns]))
"""


@pytest.fixture
def soak(tmp_path, monkeypatch):
    """Runs a soak in a folder of its own; answers what it printed."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = soak: a campaign\n")

    def run(trouble: str = "KeyboardInterrupt", **environment: str) -> str:
        (tmp_path / "test_it.py").write_text(CAMPAIGN.format(folder=str(tmp_path), trouble=trouble))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        done = subprocess.run([sys.executable, "-c", RUN, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=100)
        return done.stdout + done.stderr

    run.folder = tmp_path
    return run


def played(folder) -> list[list[str]]:
    return [line.split() for line in (folder / "played").read_text().splitlines()]


def state(folder) -> dict:
    campaigns = json.loads((folder / "soak.json").read_text())["campaigns"]
    return {name.split("::")[1]: entry for name, entry in campaigns.items()}


def test_an_interrupted_soak_goes_on_where_it_was(soak):
    soak()
    assert [number for number, _ in played(soak.folder)] == ["0", "1", "2"]
    assert state(soak.folder)["test_counts"]["done"] == 3
    assert "3 of 6, interrupted" in (soak.folder / "report.md").read_text()
    seed = state(soak.folder)["test_counts"]["seed"]
    (soak.folder / "on").touch()
    said = soak()
    assert "from round 3" in said
    assert [number for number, _ in played(soak.folder)] == ["0", "1", "2", "3", "4", "5"]
    counts = state(soak.folder)["test_counts"]
    assert (counts["seed"], counts["done"], counts["finished"], counts["noted"]) == (seed, 6, True, {"sums": 15})
    assert state(soak.folder)["test_anything"]["done"] >= 1000
    report = (soak.folder / "report.md").read_text()
    assert "| counts | 6 | 0 | 15 sums |" in report
    assert "no campaign" not in report
    # That run is over: the next one begins anew, with another seed.
    soak()
    assert state(soak.folder)["test_counts"]["seed"] != seed
    assert len(played(soak.folder)) == 12


def test_a_failure_is_reported_and_its_seed_plays_the_same_again(soak):
    assert "1 failed" in soak("AssertionError")
    assert "| counts | 3 of 6 | 1 |" in (soak.folder / "report.md").read_text()
    seed, first = state(soak.folder)["test_counts"]["seed"], played(soak.folder)
    soak("AssertionError", SHUIBO_TEST_SEED=str(seed))
    assert played(soak.folder) == first * 2


def test_what_another_machine_has_run_stays_in_the_report():
    """The state of campaigns is a machine's own, the report everybody's: a soak of a part rewrote the report without the rest."""
    entry = {"title": "here", "done": 6, "total": 6, "failures": 0, "seconds": 1.0, "seed": 1, "commit": "abc", "run": "2026-11-30", "finished": True}
    there = render({"tests/unit/test_campaigns.py::test_there": entry | {"title": "there", "seed": 7}, "tests/gone.py::test_x": entry})
    both = render({"tests/unit/test_campaigns.py::test_here": entry}, there)
    assert seeds(both) == {"here": "1", "there": "7"}
    assert seeds(render({"tests/unit/test_campaigns.py::test_there": entry | {"title": "there"}}, both)) == {"here": "1", "there": "1"}


def seeds(report: str) -> dict[str, str]:
    """The seed by title."""
    rows = [line.strip("| ").split(" | ") for line in report.splitlines()[8:]]
    return {row[0]: row[5] for row in rows}
