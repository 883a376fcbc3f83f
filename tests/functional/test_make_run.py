"""`make run` as a newcomer meets it: it serves, says where, starts again in seconds, and leaves nothing behind however it ends."""

import os
import re
import signal
import subprocess
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.functional.test_supervisor import free_port, listening
from tests.support.browsers import eventually

ROOT = Path(__file__).parents[2]
PASSWORD = "newcomer-2026"


class Run:
    """One `make run` with its own port and database."""

    def __init__(self, folder: Path, port: int):
        self.port = port
        self.output = folder / "output.txt"
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SHUIBO_", "MAKE", "MFLAGS"))},
            "SHUIBO_PORT": str(port),
            "SHUIBO_DATABASE_URL": f"sqlite:///{folder}/shuibo.db",
            "SHUIBO_MASTER_KEY_FILE": f"{folder}/master.key",
            "SHUIBO_DEMO_PASSWORD": PASSWORD,
        }

    def start(self, seconds: float) -> None:
        with self.output.open("w") as output:
            self.make = subprocess.Popen(
                ["make", "run", "ARGS=--no-backlog"], cwd=ROOT, env=self.env, stdout=output, stderr=subprocess.STDOUT, process_group=0
            )
        eventually(self.answers, seconds)
        self.processes = [psutil.Process(self.make.pid), *psutil.Process(self.make.pid).children(recursive=True)]

    def answers(self) -> bool:
        assert self.make.poll() is None, self.output.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/live", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def server(self) -> psutil.Process:
        """The process that make became the parent of: `shuibo run`."""
        (server,) = psutil.Process(self.make.pid).children()
        return server

    def work(self) -> float:
        """Seconds of processor time so far: what a start takes on a machine that has nothing else to do."""
        times = [process.cpu_times() for process in self.processes]
        return sum(time.user + time.system + time.children_user + time.children_system for time in times)

    def assert_nothing_is_left(self) -> None:
        _gone, alive = psutil.wait_procs([process for process in self.processes if process.pid != self.make.pid], timeout=12)
        assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
        assert not listening(self.port)


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path, free_port())
    yield run
    for process in getattr(run, "processes", []):
        if process.is_running():
            process.kill()
    run.make.kill()
    run.make.wait()


def test_make_run(run):
    run.start(200)
    said = run.output.read_text()
    assert [int(step) for step in re.findall(r"\[(\d)/5\]", said)] == [1, 2, 3, 4, 5]
    assert f":{run.port}" in said and "supervisor" in said and PASSWORD in said
    assert len(run.processes) >= 5, "make, shuibo, gunicorn and its worker, the timers' worker"
    run.make.kill()
    run.make.wait()
    run.assert_nothing_is_left()

    run.start(90)
    assert run.work() < 15, "the second start takes seconds"
    run.server().kill()
    assert run.make.wait(15) != 0
    run.assert_nothing_is_left()

    run.start(90)
    run.make.send_signal(signal.SIGTERM)
    run.make.wait(20)
    run.assert_nothing_is_left()
