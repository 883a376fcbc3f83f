"""Campaigns: races, kills, fuzzing. `make test` runs a small seeded sample of each, `make soak` all of them, and reports.

A test marked `soak` is a campaign; with `--soak` every test of hypothesis is one too. What a campaign did so far is kept in var/soak.json,
so a soak that was interrupted goes on where it was (at the same commit); when it ends, docs/reliability.md is written.
"""

import json
import os
import random
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from hypothesis import core

ROOT = Path(__file__).parents[2]
STATE = ROOT / "var" / "soak.json"
REPORT = ROOT / "docs" / "reliability.md"
SAMPLE_SEED = 20261124
TELL_EVERY = 15.0  # seconds between two lines of progress

# A sample is the same every time, so that a red run is red again; a campaign looks for what nobody has seen yet.
hypothesis.settings.register_profile("sample", deadline=None, derandomize=True, max_examples=100)
hypothesis.settings.register_profile("soak", deadline=None, max_examples=3000)


def pytest_addoption(parser):
    parser.addoption("--soak", action="store_true", help="run the full campaigns, not samples of them")
    parser.addoption("--anew", action="store_true", help="forget what an interrupted soak has done")


def pytest_configure(config):
    full = config.getoption("--soak")
    hypothesis.settings.load_profile("soak" if full else "sample")
    if full:
        os.environ.setdefault("SHUIBO_TEST_DIAGRAMS", "10000")
        config.pluginmanager.register(Soak(config, STATE, REPORT), "shuibo-soak")


@pytest.fixture(scope="session", autouse=True)
def no_settings_of_this_machine():
    """Tests set what they need; what the developer has set for `make run` must not reach them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("SHUIBO_") and not name.startswith("SHUIBO_TEST_")]:
            patch.delenv(name)
        yield


@pytest.fixture
def campaign(request) -> "Campaign":
    """How much a test marked `soak` does; see Campaign."""
    soak = request.config.pluginmanager.get_plugin("shuibo-soak")
    return Campaign(soak, soak.entry(request.node) if soak else {"seed": SAMPLE_SEED, "done": 0})


class Campaign:
    """`campaign(20, 1000)` is 20 in `make test` and 1000 in `make soak`; `campaign.rounds(20, 1000)` counts them off, and an interrupted
    soak goes on after the last one it finished. Chance comes from `campaign.dice(round)`, so that a round can be played again."""

    def __init__(self, soak: "Soak | None", entry: dict):
        """`entry`: what is known of this campaign: seed, done …"""
        self._soak, self._entry = soak, entry

    def __call__(self, sample: int, full: int) -> int:
        """How many."""
        if self._soak is None:
            return sample
        self._entry["total"] = full
        return full

    def rounds(self, sample: int, full: int) -> Iterator[int]:
        """The numbers of the rounds to play."""
        total = self(sample, full)
        for number in range(self._entry["done"], total):
            yield number
            self._entry["done"] = number + 1
            if self._soak is not None:
                self._soak.advanced(self._entry)

    def dice(self, *which) -> random.Random:
        """Chance that is the same whenever this seed is used again."""
        return random.Random(f"{self._entry['seed']}/{'/'.join(map(str, which))}")

    def note(self, **counted: int) -> None:
        """Add to what the report tells: `campaign.note(kills=1)`."""
        noted = self._entry.setdefault("noted", {})
        for name, number in counted.items():
            noted[name] = noted.get(name, 0) + number


class Soak:
    """The pytest plugin behind `--soak`: what is to be done, what was done, and the report."""

    def __init__(self, config, state: Path, report: Path):
        """`state` and `report`: files. A run that did not come to its end at this commit is taken up again."""
        self.config, self.path, self.report = config, state, report
        self.commit = commit_tested()
        self.state = json.loads(state.read_text(encoding="utf-8")) if state.exists() else {"open": False, "campaigns": {}}
        if not self.state["open"] or self.state["commit"] != self.commit or config.getoption("--anew"):
            self.state |= {"open": True, "commit": self.commit, "run": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}
        self.total = self.begun = 0
        self.clock = self.saved = self.told = time.monotonic()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config, items):
        """Every test of hypothesis is a campaign; those that an interrupted soak has finished are not run again."""
        for item in items:
            if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
                item.add_marker("soak")
        campaigns = {item.nodeid for item in items if item.get_closest_marker("soak")}
        files = {item.nodeid.split("::")[0] for item in items}
        if not any("::" in argument for argument in config.args):
            gone = [name for name in self.state["campaigns"] if name.split("::")[0] in files and name not in campaigns]
            for name in gone:  # a test that is no more
                del self.state["campaigns"][name]
        done = [item for item in items if self._finished(item)]
        config.hook.pytest_deselected(items=done)
        items[:] = [item for item in items if not self._finished(item)]

    def pytest_collection_finish(self, session):
        """How many there are to run."""
        self.total = len(session.items)

    def pytest_runtest_setup(self, item):
        """Give the campaign its seed, and say that it begins."""
        if not item.get_closest_marker("soak"):
            return
        entry = self.entry(item)
        core.global_force_seed = entry["seed"]
        self.clock = self.told = time.monotonic()
        self.begun += 1
        self._say(f"[{self.begun}/{self.total}] {entry['title']}" + (f" · from round {entry['done']}" if entry["done"] else ""))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        """Note how a campaign ended."""
        report = yield
        if not item.get_closest_marker("soak") or (call.when != "call" and not report.failed):
            return report
        entry = self.entry(item)
        if counted := re.findall(r"(\d+) passing, (\d+) failing", getattr(item, "hypothesis_statistics", "")):
            entry["done"] = entry["total"] = sum(int(number) for phase in counted for number in phase)
        elif not report.failed:
            entry["done"] = entry["total"] = entry.get("total", 1)
        entry["failures"] = int(report.failed or entry["failures"])
        entry["finished"] = True
        self._clock(entry)
        self._save()
        return report

    def pytest_sessionfinish(self, session, exitstatus):
        """A run that came to its end is closed; what was found is written down."""
        if not self.begun:
            return
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not session.shouldstop:
            self.state["open"] = False
        self._save()
        self.report.parent.mkdir(exist_ok=True)
        former = self.report.read_text(encoding="utf-8") if self.report.exists() else ""
        self.report.write_text(render(self.state["campaigns"], former), encoding="utf-8")
        self._say(f"{self.report.name}\n")

    def entry(self, item) -> dict:
        """What is known of a campaign in this run."""
        known = self.state["campaigns"].get(item.nodeid)
        if known is None or known["run"] != self.state["run"]:
            self.state["campaigns"][item.nodeid] = known = {
                "run": self.state["run"],
                "commit": self.commit,
                "title": _title(item),
                "seed": int(os.environ.get("SHUIBO_TEST_SEED") or random.SystemRandom().randrange(10**9)),
                "done": 0,
                "failures": 0,
                "seconds": 0.0,
                "finished": False,
            }
        return known

    def advanced(self, entry: dict) -> None:
        """One more round is over."""
        now = time.monotonic()
        if now - self.told > TELL_EVERY:
            self.told = now
            self._say(f"    {entry['done']}/{entry['total']}")
        if now - self.saved > 1:
            self._clock(entry)
            self._save()

    def _finished(self, item) -> bool:
        known = self.state["campaigns"].get(item.nodeid, {})
        return known.get("run") == self.state["run"] and known["finished"] and not known["failures"]

    def _clock(self, entry: dict) -> None:
        now = time.monotonic()
        entry["seconds"] += now - self.clock
        self.clock = now

    def _save(self) -> None:
        self.saved = time.monotonic()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(self.state, ensure_ascii=False, indent=1), encoding="utf-8")
        draft.replace(self.path)

    def _say(self, text: str) -> None:
        capture = self.config.pluginmanager.get_plugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            print(f"\n{text}", end="", flush=True)


def render(campaigns: dict[str, dict], former: str = "") -> str:
    """The report as Markdown, one line a campaign. What the former report says of campaigns that this machine has never run stays, while
    their files are there."""
    head = [
        "# Reliability",
        "",
        "Written by `make soak`; do not edit. A campaign is played again with `SHUIBO_TEST_SEED=<seed> make soak ARGS='-k <words of its name>'`;",
        "what it checks stands in the test of that name in its file under tests/. The first failure ends a campaign. A commit with a plus was a",
        "working copy with changes.",
        "",
        "| Campaign | Rounds | Failures | Also counted | Minutes | Seed | Commit | Date | File |",
        "|---|---:|---:|---|---:|---:|---|---|---|",
    ]
    lines = {}
    for line in former.splitlines()[len(head) :]:
        title, *_, file = line.strip("| ").split(" | ")
        if (ROOT / "tests" / file).exists():
            lines[file, title] = line
    for name, entry in sorted(campaigns.items()):
        file = name.split("::")[0].removeprefix("tests/")
        noted = ", ".join(f"{number:,} {what}" for what, number in entry.get("noted", {}).items())
        rounds = f"{entry['done']:,}" + (f" of {entry['total']:,}" if entry["done"] < entry.get("total", 0) else "")
        rounds += "" if entry["finished"] else ", interrupted"
        cells = [entry["title"], rounds, entry["failures"], noted, f"{entry['seconds'] / 60:.1f}", entry["seed"], entry["commit"]]
        lines[file, entry["title"]] = "| " + " | ".join(map(str, [*cells, entry["run"][:10], file])) + " |"
    return "\n".join([*head, *(line for _key, line in sorted(lines.items()))]) + "\n"


def _title(item) -> str:
    """The test's name in words, and what it runs on: two campaigns of one test would else have one line."""
    on = item.callspec.id.replace("-", ", ") if hasattr(item, "callspec") else None
    return item.originalname.removeprefix("test_").replace("_", " ") + (f" ({on})" if on else "")


def commit_tested() -> str:
    """The commit of the product that is tested, with a plus if it is changed."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "engine", "webapp", "bpmn", "tests")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + ("+" if changed else "")
