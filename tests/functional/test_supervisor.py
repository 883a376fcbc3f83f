"""The supervisor with real processes and real signals."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.browsers import eventually

ROOT = Path(__file__).parents[2]
# Without the web application, which it does not need: it must start in no time here.
SUPERVISOR = (
    f"import json, sys; sys.path.insert(0, {str(ROOT / 'webapp')!r}); "
    "import supervisor; sys.exit(supervisor.serve(json.loads(sys.argv[1])))"
)

# Each child writes its process id to the file named first.
WAITS = """
import os, signal, sys, time
def bye(*_):
    open(sys.argv[1] + '.bye', 'w').close()
    sys.exit()
signal.signal(signal.SIGTERM, bye)
open(sys.argv[1], 'w').write(str(os.getpid()))
while True: time.sleep(60)
"""
STUBBORN = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1], 'w').write(str(os.getpid()))
while True: time.sleep(60)
"""
CRASHES = """
import os, sys
open(sys.argv[1], 'a').write('x')
sys.exit(3)
"""
# Listens, and so does its own child, which knows nothing of signals or parents: gunicorn's shape at its worst.
LISTENS = """
import os, signal, socket, sys, time
server = socket.create_server(('127.0.0.1', int(sys.argv[2])), reuse_port=True)
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while True: time.sleep(60)
open(sys.argv[1], 'w').write(str(os.getpid()))
while True: time.sleep(60)
"""


def child(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def supervisor(*children: list[str]) -> list[str]:
    return [sys.executable, "-c", SUPERVISOR, json.dumps(children)]


@pytest.fixture
def start():
    """Starts a process in a group of its own, which ends with the test."""
    started = []

    def begin(command: list[str], **options) -> subprocess.Popen:
        started.append(subprocess.Popen(command, cwd=ROOT, process_group=0, **options))
        return started[-1]

    yield begin
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def pid_in(path: Path) -> int:
    return int(eventually(lambda: path.exists() and path.read_text()))


def alive(pid: int) -> bool:
    """Running, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_all_in_good_order(start, tmp_path, signum):
    one, two = tmp_path / "one", tmp_path / "two"
    process = start(supervisor(child(WAITS, one), child(WAITS, two)))
    pids = [pid_in(one), pid_in(two)]
    process.send_signal(signum)
    assert process.wait(10) == 0
    assert not any(map(alive, pids))
    assert (tmp_path / "one.bye").exists() and (tmp_path / "two.bye").exists()


def test_a_killed_supervisor_takes_its_children_along(start, tmp_path):
    one, port = tmp_path / "one", free_port()
    process = start(supervisor(child(WAITS, one), child(LISTENS, tmp_path / "two", port)))
    pids = [pid_in(one), pid_in(tmp_path / "two")]
    process.kill()
    process.wait()
    eventually(lambda: not any(map(alive, pids)), 5)
    eventually(lambda: not listening(port), 5)
    assert (tmp_path / "one.bye").exists(), "they were told, not killed"


def test_a_killed_supervisor_does_not_spare_the_stubborn(start, tmp_path):
    quick = SUPERVISOR.replace("; sys.exit", "; supervisor.GRACE = 1.0; sys.exit")
    process = start([sys.executable, "-c", quick, json.dumps([child(STUBBORN, tmp_path / "one")])])
    pid = pid_in(tmp_path / "one")
    process.kill()
    process.wait()
    eventually(lambda: not alive(pid), 5)


def test_a_killed_parent_takes_the_supervisor_along(start, tmp_path):
    """`make run` is such a parent. Make itself forwards SIGTERM, but nobody forwards SIGKILL."""
    script = 'SHUIBO_PARENT=$$ "$0" "$@"; true'
    process = start(["sh", "-c", script, *supervisor(child(WAITS, tmp_path / "one"))])
    pid = pid_in(tmp_path / "one")
    process.kill()
    process.wait()
    eventually(lambda: not alive(pid), 5)


def test_a_parent_that_ended_early_is_noticed(start, tmp_path):
    process = start(supervisor(child(WAITS, tmp_path / "one")), env={**os.environ, "SHUIBO_PARENT": "1"})
    assert process.wait(10) == 0
    assert not (tmp_path / "one").exists()


def test_a_crashed_child_starts_again_and_its_remains_are_swept_up(start, tmp_path):
    path, port = tmp_path / "one", free_port()
    process = start(supervisor(child(LISTENS, path, port)), stderr=subprocess.PIPE, text=True)
    first = pid_in(path)
    (remains,) = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    path.unlink()
    os.kill(first, signal.SIGKILL)
    second = pid_in(path)
    assert second != first and alive(second) and not alive(int(remains))
    assert listening(port)
    process.terminate()
    assert process.wait(10) == 0
    assert not listening(port)
    assert "SIGKILL" in process.stderr.read()
    process.stderr.close()


def test_a_child_that_never_starts_stops_all(start, tmp_path):
    process = start(supervisor(child(WAITS, tmp_path / "one"), child(CRASHES, tmp_path / "two")), stderr=subprocess.DEVNULL)
    pid = pid_in(tmp_path / "one")
    assert process.wait(20) == 3
    assert (tmp_path / "two").read_text() == "xxxx"
    assert not alive(pid)


def test_a_second_signal_does_not_wait_for_the_stubborn(start, tmp_path):
    process = start(supervisor(child(STUBBORN, tmp_path / "one")))
    pid = pid_in(tmp_path / "one")
    process.terminate()
    time.sleep(0.5)
    assert alive(pid) and process.poll() is None
    process.terminate()
    assert process.wait(5) == 0
    assert not alive(pid)
