"""`make bench`: prints the table and writes it to docs/performance.md. ARGS: --rounds N (cases of each kind, default 150).

ARGS=--scale writes docs/scale.md instead (tests/bench/scale.py): --cases N (of the full county), --steps N (of the long case), --database.
"""

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

from engine.system import settle
from tests.bench import naive, ours, scale, tables
from tests.support.databases import BACKENDS, ROOT

LOOP = 1000
WINDOW = 9  # completions around iteration 10 and before iteration 1,000 whose median is compared
REPORT = ROOT / "docs" / "performance.md"
WAYS = {
    "bare": "SpiffWorkflow bare in memory (stores nothing)",
    "naive": "the naive stateless way (full state, SQLite, one commit)",
    "command": "**Shuibo by command**, no regulation published (form, rights, chain, seal, one commit)",
    "ruled": "**Shuibo by command**, with the eight regulations",
    "http": "**Shuibo over HTTP**, with the eight regulations (gunicorn, token, JSON)",
}


def main() -> None:
    """Measure, print, write."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=150)
    options.add_argument("--scale", action="store_true")
    options.add_argument("--cases", type=int, default=100_000)
    options.add_argument("--steps", type=int, default=scale.STEPS)
    options.add_argument("--database", choices=BACKENDS, action="append")
    given = options.parse_args()
    rounds = given.rounds
    if given.scale:
        scale.main(rounds, given.cases, given.steps, given.database or BACKENDS)
        return
    os.environ.setdefault("PYTHONHASHSEED", "0")
    with tempfile.TemporaryDirectory(prefix="shuibo-bench-", dir=ROOT / "var" if (ROOT / "var").is_dir() else None) as folder:
        # Each way writes its own file.
        county, ruled = ours.open_county(Path(folder), "command"), ours.open_county(Path(folder), "ruled", regulations=True)
        served = ours.open_county(Path(folder), "http", regulations=True)
        settle()  # as every process of the product does; it serves the yardsticks too
        ways, floor = three_tasks(county, ruled, served, Path(folder), rounds)
        loops = loop(county, Path(folder))
    report = render(ways, floor, loops, rounds) + "\n".join(tables.render(tables.measure())) + "\n"
    print(report)
    REPORT.write_text(report, encoding="utf-8")


def three_tasks(county, ruled, served, folder: Path, rounds: int):
    """Times in ms of every completion, by way; the ways take turns, so that a slow minute of the machine is everybody's."""
    spec = naive.load_spec("three_tasks")
    store = naive.NaiveStore(folder / "naive.db")
    by_command, by_rules = ours.ByCommand(county), ours.ByCommand(ruled)
    times = {way: [] for way in (*WAYS, "commit")}
    with ours.gunicorn(served, folder) as port:
        over_http = ours.OverHttp(port)
        for number in range(rounds):
            note(f"三步流程 {number + 1}/{rounds}")
            times["bare"] += _bare(spec)
            times["naive"] += _naive(store, spec)
            times["command"] += _ours(by_command)
            times["ruled"] += _ours(by_rules)
            times["http"] += _ours(over_http)
            times["commit"].append(_commit(store))
    warm = {way: values[len(values) // 10 :] for way, values in times.items()}
    return {way: warm[way] for way in WAYS}, warm["commit"]


def _bare(spec) -> list[float]:
    workflow = naive.BpmnWorkflow(spec)
    workflow.do_engine_steps()
    return [_timed(naive.step, workflow, dict(ours.TEN_FIELDS)) for _ in range(3)]


def _naive(store, spec) -> list[float]:
    workflow_id = store.start(spec)
    return [_timed(store.complete, workflow_id, ours.TEN_FIELDS) for _ in range(3)]


def _ours(way) -> list[float]:
    instance_id = way.start("three_tasks")
    return [_timed(way.complete, way.claim(instance_id), ours.TEN_FIELDS) for _ in range(3)]


def _commit(store) -> float:
    """The floor: one durable one-row transaction."""

    def one_row():
        store.connection.execute("BEGIN IMMEDIATE")
        store.connection.execute("INSERT INTO workflow (state) VALUES ('x')")
        store.connection.execute("COMMIT")

    return _timed(one_row)


def loop(county, folder: Path) -> dict:
    """A loop of one user task: early and late completions in ms, and stored bytes, ours and the naive way."""
    ways, answers = ours.ByCommand(county), {}
    instance_id, times, sizes = ways.start("loop"), [], []
    for number in range(LOOP):
        if number % 50 == 0:
            note(f"循环 {number}/{LOOP}")
        task_id = ways.claim(instance_id)
        times.append(_timed(ways.complete, task_id, {"done": False, "count": number}))
        sizes.append(ways.size(instance_id))
    answers["ours"] = (times, sizes)
    store, times, sizes = naive.NaiveStore(folder / "naive-loop.db"), [], []
    workflow_id = store.start(naive.load_spec("loop"))
    for number in range(LOOP // 5):  # the naive way grows with its history; a fifth shows it
        times.append(_timed(store.complete, workflow_id, {"done": False, "count": number}))
        sizes.append(store.size(workflow_id))
    answers["naive"] = (times, sizes)
    return answers


def _timed(function, *arguments) -> float:
    begin = time.perf_counter()
    function(*arguments)
    return (time.perf_counter() - begin) * 1000


def _around(times: list[float], iteration: int) -> float:
    half = WINDOW // 2
    return statistics.median(times[max(0, iteration - half) : iteration + half + 1])


def render(ways: dict, floor: list[float], loops: dict, rounds: int) -> str:
    """The report as Markdown."""
    base = statistics.median(ways["naive"])
    lines = [
        "# Performance",
        "",
        "Written by `make bench`; do not edit. Machines are noisy: trust the ratios, which come from one run in which the ways took turns.",
        "",
        f"{rounds} cases of three user tasks and a gateway, a form of ten fields; SQLite, WAL, synchronous=FULL.",
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}.",
        "",
        "| one completion | median ms | 90 % ms | × naive |",
        "|---|---:|---:|---:|",
    ]
    for way, times in ways.items():
        median, tail = statistics.median(times), statistics.quantiles(times, n=10)[-1]
        lines.append(f"| {WAYS[way]} | {median:.2f} | {tail:.2f} | {median / base:.2f} |")
    without, with_them = (statistics.median(ways[way]) for way in ("command", "ruled"))
    lines += ["", f"The regulations add {(with_them / without - 1) * 100:.0f} % to a completion; the second task of three is a recorded visit."]
    lines += ["", f"One durable commit of one row, for scale: {statistics.median(floor):.2f} ms.", ""]
    times, sizes = loops["ours"]
    early, late = _around(times, 10), statistics.median(times[-WINDOW:])
    lines += [
        "A loop of one user task, 1,000 times by command:",
        "",
        "| | iteration 10 | last | ratio | state, iteration 10 → last |",
        "|---|---:|---:|---:|---:|",
        f"| **Shuibo** (1,000) | {early:.2f} ms | {late:.2f} ms | {late / early:.2f} | {sizes[9]} → {sizes[-1]} bytes |",
    ]
    times, sizes = loops["naive"]
    early, late = _around(times, 10), statistics.median(times[-WINDOW:])
    lines.append(f"| naive ({len(times)}) | {early:.2f} ms | {late:.2f} ms | {late / early:.2f} | {sizes[9]} → {sizes[-1]} bytes |")
    return "\n".join(lines) + "\n"


def note(text: str) -> None:
    """Progress, on a terminal only."""
    if sys.stderr.isatty():
        print(f"\r{text}   ", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
