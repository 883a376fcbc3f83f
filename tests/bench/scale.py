"""What size does: `make bench ARGS=--scale` compares a small county with the filled one (`make fill`), a case of 10,000 steps with a new
one, two web processes with one, two workers with one, and writes docs/scale.md."""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from sqlalchemy import make_url

from engine import clients, instances, tasks
from engine.system import settle
from tests.bench import fill, web
from tests.bench.ours import TEN_FIELDS, ByCommand
from tests.bench.timers import HOLDERS, TIMERS_EACH, fire_together, prepare_timers
from tests.support.campaigns import commit_tested
from tests.support.counties import County
from tests.support.databases import ROOT
from webapp.county.figures import by_station

REPORT = ROOT / "docs" / "scale.md"
SMALL = 200  # cases
STEPS = 10_000
WINDOW = 30
ALLOWED = 1.2  # a completion in the full county may take so many times as long as in the small one


def main(rounds: int, cases: int, steps: int, backends: list[str]) -> None:
    """Measure on each database, print, write. What was measured of another database before stays in the report."""
    sections = _sections()
    with tempfile.TemporaryDirectory(prefix="shuibo-scale-", dir=ROOT / "var") as name:
        folder = Path(name)
        for backend in backends:
            with _counties(backend, folder, cases) as (small, full):
                settle()
                parts = [_title(backend, full), _sizes(small, full, rounds), _long_case(full, steps), _verification(full)]
                if backend == "postgresql":
                    parts += [web.compared(full, folder), _workers(full)]
                sections[NAMES[backend]] = "\n\n".join(parts)
    report = "\n\n".join([HEAD.format(allowed=ALLOWED), *(text for _name, text in sorted(sections.items(), reverse=True))]) + "\n"
    print(report)
    REPORT.write_text(report, encoding="utf-8")


HEAD = """# Scale

Written by `make bench ARGS=--scale`; do not edit. Machines are noisy: trust the ratios, of medians of turns taken by the two sides.
The full county is made by `make fill`, all by the engine's own commands. A completion may take {allowed} times as long there."""
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def _sections() -> dict[str, str]:
    """What the report says of each database."""
    said = REPORT.read_text(encoding="utf-8") if REPORT.exists() else ""
    return {name: f"## {text.strip()}" for text in said.split("\n## ")[1:] for name in [text.partition(":")[0]]}


@contextmanager
def _counties(backend: str, folder: Path, cases: int) -> Iterator[tuple[County, County]]:
    with fill.database(backend) as url:
        fill.fill(url, cases)
        if backend == "postgresql":
            little = fill.existing(make_url(url).set(database="postgres").render_as_string(hide_password=False), "scale_small", fresh=True)
        else:
            little = f"sqlite:///{folder / 'small.db'}"
        fill.fill(little, SMALL, processes=1)
        found = County(little), County(url)
        try:
            yield found
        finally:
            for county in found:
                county.system.database.dispose()


def _title(backend: str, full: County) -> str:
    measured = f"{date.today()}, commit {commit_tested()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}."
    return "## {}: {:,} cases, {:,} events\n\nMeasured {}".format(NAMES[backend], *fill.sizes(full.url), measured)


# --- small and full ---------------------------------------------------------------------------------------------------


def _sizes(small: County, full: County, rounds: int) -> str:
    lines = [f"| ms, median of {rounds} | small | full | ratio |", "|---|---:|---:|---:|"]
    hands = [_Hands(county) for county in (small, full)]
    for what, act in _Hands.ACTS.items():
        times: list[list[float]] = [[], []]
        for _ in range(rounds):
            for hand, found in zip(hands, times, strict=True):
                found.append(_timed(act, hand))
        before, after = (statistics.median(found[len(found) // 10 :]) for found in times)
        lines.append(f"| {what} | {before:.2f} | {after:.2f} | {after / before:.2f} |")
    return "\n".join(lines)


class _Hands:
    """What people do in one county."""

    def __init__(self, county: County):
        self.county, self.by = county, ByCommand(county)
        self.held: list[str] = []

    def start(self) -> None:
        self.begun = self.by.start("three_tasks")

    def claim(self) -> None:
        self.held.append(self.by.claim(self.begun))

    def complete(self) -> None:
        self.by.complete(self.held.pop(), TEN_FIELDS)

    def reading(self, function: Callable, who: str):
        with self.county.system.database.read() as session:
            return function(session, self.county.act(who))

    def list_offered(self, who: str) -> None:
        self.reading(lambda session, actor: tasks.inbox(self.county.system, session, actor, "offered"), who)

    def count(self, who: str) -> None:
        self.reading(tasks.counts, who)

    def figures(self) -> None:
        self.reading(lambda session, actor: by_station(session, actor.county_id, self.county.now), "supervisor")

    def cases(self, who: str, **wanted) -> None:
        self.reading(lambda session, actor: instances.cases(session, actor, **wanted), who)

    def search(self, words: str) -> None:
        self.reading(lambda session, actor: clients.search(session, self.county.system.vault, actor, words), "lead-01")

    ACTS = {
        "start a case": lambda hand: hand.start(),
        "claim (with the search for the task)": lambda hand: (hand.start(), hand.claim()),
        "**a completion**": lambda hand: hand.complete(),
        "offered tasks, a worker's": lambda hand: hand.list_offered("ft-01-1"),
        "offered tasks, an assistant's": lambda hand: hand.list_offered("assistant-001"),
        "counts of the inbox, a worker's": lambda hand: hand.count("ft-01-1"),
        "counts of the inbox, the county's": lambda hand: hand.count("supervisor"),
        "figures of the home page": lambda hand: hand.figures(),
        "newest cases, a lead's": lambda hand: hand.cases("lead-01"),
        "newest cases, an assistant's": lambda hand: hand.cases("assistant-001"),
        "cases with an incident, a lead's": lambda hand: hand.cases("lead-01", status="incident"),
        "cases with an incident, the county's": lambda hand: hand.cases("supervisor", status="incident"),
        "search for a client": lambda hand: hand.search("赵海霞"),
        "search for an address": lambda hand: hand.search("第13号"),
    }


# --- one long case ------------------------------------------------------------------------------------------------------


def _long_case(county: County, steps: int) -> str:
    by = ByCommand(county)
    old = by.start("loop")
    for number in range(steps):
        by.complete(by.claim(old), {"done": False, "count": number})
        if number % 500 == 0:
            _note(f"长个案 {number}/{steps}")
    new = by.start("loop")
    times: dict[str, list[float]] = {old: [], new: []}
    for number in range(WINDOW):
        for case, found in times.items():
            task = by.claim(case)
            found.append(_timed(by.complete, task, {"done": False, "count": number}))
    late, early = (statistics.median(found) for found in times.values())
    return (
        f"A case of {steps:,} steps: its next task takes {late:.2f} ms, a new case's {early:.2f} ms, ratio {late / early:.2f}; "
        f"its state has {by.size(old)} bytes, the new one's {by.size(new)}."
    )


# --- verification ---------------------------------------------------------------------------------------------------------

_VERIFY = """
import sys, time, resource
from tests.support.counties import County
county = County(sys.argv[1])
began = time.monotonic()
faults = county.faults()
print(time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, len(faults))
"""


def _verification(county: County) -> str:
    told = subprocess.run([sys.executable, "-c", _VERIFY, county.url], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    seconds, memory, faults = float(told[0]), int(told[1]) / 1024, int(told[2])
    events = fill.sizes(county.url)[1]
    return f"Verification: {seconds:.0f} s, {events / seconds:,.0f} events a second, {memory:.0f} MB at most, {faults} faults."


# --- timers -----------------------------------------------------------------------------------------------------------------


def _workers(county: County) -> str:
    rates = []
    for workers in (1, 2):
        prepare_timers(county)
        due = HOLDERS * TIMERS_EACH
        began, fired = time.perf_counter(), fire_together(county, workers)
        rates.append(due / (time.perf_counter() - began))
        if sum(fired) != due:
            raise RuntimeError(f"{due} timers were due, {fired} fired")
    return f"{due:,} timers due at once: one worker fires {rates[0]:.0f} a second, two (threads of one process here) {rates[1]:.0f}; each fired once."


# --- small things -----------------------------------------------------------------------------------------------------------


def _timed(function, *arguments) -> float:
    began = time.perf_counter()
    function(*arguments)
    return (time.perf_counter() - began) * 1000


def _note(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text}   ", end="", file=sys.stderr, flush=True)
