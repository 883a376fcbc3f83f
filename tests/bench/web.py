"""What a second web process brings: completions a second over HTTP, and whose the processor's time is."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from engine.commands.instances import cancel, start
from engine.commands.tasks import claim
from tests.bench import load
from tests.bench.ours import gunicorn
from tests.support.counties import County
from tests.support.databases import ROOT

COMPLETIONS = 1_000
CONNECTIONS = 8
TURNS = 5


def compared(county: County, folder: Path) -> str:
    """One process and two, by turns; the medians as Markdown."""
    found: dict[int, list[tuple[float, ...]]] = {1: [], 2: []}
    for _turn in range(TURNS):
        for processes, measured in found.items():
            measured.append(under_load(county, folder, processes))
    lines = ["| web processes | completions a second | CPU: web | load generator | PostgreSQL | all others |", "|---:|---:|---:|---:|---:|---:|"]
    rates = []
    for processes, measured in found.items():
        rate, *shares = (statistics.median(each) for each in zip(*measured, strict=True))
        rates.append(rate)
        lines.append(f"| {processes} | {rate:.0f} | " + " | ".join(f"{share:.0%}" for share in shares) + " |")
    told = f"Two web processes do {rates[1] / rates[0]:.2f} times the work of one (medians of {TURNS} turns; {CONNECTIONS} connections; 100 % is one core)."
    return "\n".join([*lines, "", told])


def under_load(county: County, folder: Path, processes: int) -> tuple[float, ...]:
    """(completions a second; cores used by the web processes, the load generator, PostgreSQL, everybody else)."""
    cases, tasks = zip(*_claimed(county, COMPLETIONS + CONNECTIONS * load.WARM), strict=True)
    (folder / "tasks.json").write_text(json.dumps(tasks), encoding="utf-8")
    with gunicorn(county, folder, processes) as port, county.system.database.engine.connect() as connection:
        postmaster = _parent(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar())
        command = [sys.executable, "-m", "tests.bench.load", str(port), str(folder / "tasks.json"), str(CONNECTIONS)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as generator:
            if generator.stdout.readline() != "warm\n":
                raise RuntimeError("the load generator failed")
            servers = [below(os.getpid()) - {generator.pid}, below(postmaster)]
            before = [machine_cpu(), *map(cpu, servers)]
            told = json.loads(generator.stdout.readline())
            after = [machine_cpu(), *map(cpu, servers)]
    for case in cases:  # else the next measurement would find thousands of open tasks in one room
        cancel(county.system, county.act("supervisor"), case, "测完", now=county.now)
    machine, web, database = (later - earlier for earlier, later in zip(before, after, strict=True))
    used = [web, told["cpu"], database, max(0.0, machine - web - told["cpu"] - database)]
    return told["completions"] / told["seconds"], *(seconds / told["seconds"] for seconds in used)


def _claimed(county: County, number: int) -> list[tuple[str, str]]:
    """New cases, each with its first task claimed."""
    system, actor = county.system, county.act("ft-01-1")
    found = []
    for done in range(number):
        case = start(system, actor, "three_tasks", {}, "room-001", now=county.now)
        task = case["tasks"][0]["id"]
        claim(system, actor, task, now=county.now)
        found.append((case["id"], task))
        if done % 100 == 0 and sys.stderr.isatty():
            print(f"\r领取 {done}/{number}   ", end="", file=sys.stderr, flush=True)
    return found


# --- processor time ---------------------------------------------------------------------------------------------------------


def _parent(process: int) -> int:
    return int(_stat(process)[1])


def _stat(process: int) -> list[str]:
    """The fields of a process after its name: state, parent, …; empty when it has gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def below(process: int) -> set[int]:
    """All processes that it has started, and those that they have."""
    parents = {int(each.name): int(fields[1]) for each in Path("/proc").glob("[0-9]*") if (fields := _stat(int(each.name)))}
    found, more = set(), {process}
    while more:
        more = {child for child, parent in parents.items() if parent in more}
        found |= more
    return found


def cpu(processes: set[int]) -> float:
    """Seconds of CPU that they have used."""
    return sum(int(fields[11]) + int(fields[12]) for each in processes if (fields := _stat(each))) / os.sysconf("SC_CLK_TCK")


def machine_cpu() -> float:
    """Seconds of CPU that the machine has used, whoever did."""
    fields = [int(each) for each in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return (sum(fields[:3]) + sum(fields[5:8])) / os.sysconf("SC_CLK_TCK")
