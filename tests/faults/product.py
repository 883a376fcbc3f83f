"""The product as it runs in a county: supervisor, gunicorn with its workers, and the timers' worker, as processes that can be killed."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.support.browsers import eventually
from tests.support.county import COUNTY, MASTER_KEY, PASSWORD
from tests.support.databases import ROOT

# As `shuibo run` does once the database is filled.
SERVE = (
    "import sys; from webapp.supervisor import serve; "
    "sys.exit(serve([[sys.executable, '-m', 'gunicorn', '-c', 'python:webapp.gunicorn_conf'], [sys.executable, '-m', 'webapp.cli', 'worker']]))"
)
PATIENCE = 120.0  # seconds in which a busy machine brings everything back
HEALTHY_AFTER = 6.0  # seconds; who is killed younger is started again later and later (webapp/supervisor.py)


class Product:
    """`with Product(url, folder) as product:` serves the database at `url` on `product.port`."""

    def __init__(self, url: str, folder: Path, web_processes: int = 2, **settings: str):
        """`folder`: for keys and the log; `settings`: more of the environment's."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (folder / "master.key").write_text(MASTER_KEY.hex())
        self.web_processes = web_processes
        self.log = folder / "product.log"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("SHUIBO_")} | {
            "SHUIBO_DATABASE_URL": url,
            "SHUIBO_MASTER_KEY_FILE": str(folder / "master.key"),
            "SHUIBO_COUNTY": COUNTY,
            "SHUIBO_PORT": str(self.port),
            "SHUIBO_VAR": str(folder),
            "SHUIBO_WEB_PROCESSES": str(web_processes),
            "SHUIBO_PARENT": str(os.getpid()),  # a test that is killed leaves nothing behind
            **settings,
        }

    def __enter__(self) -> "Product":
        self.start()
        return self

    def __exit__(self, *_exception) -> None:
        self.supervisor.terminate()
        try:
            self.supervisor.wait(40)
        finally:
            self.kill_everything()

    def start(self) -> None:
        """Start, and wait until it answers."""
        with self.log.open("a") as log:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-c", SERVE], cwd=ROOT, env=self.environment, stdout=log, stderr=log, process_group=0
            )
        self.await_complete()

    def cli(self, *arguments: str) -> subprocess.CompletedProcess:
        """A command of the product, in the same environment."""
        command = [sys.executable, "-m", "webapp.cli", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=300)

    # --- its processes --------------------------------------------------------------------------------------------------

    def arbiter(self) -> list[psutil.Process]:
        """Gunicorn's first process."""
        return [child for child in self._children() if _is(child, "gunicorn")]

    def web(self) -> list[psutil.Process]:
        """The processes that answer requests."""
        return [worker for arbiter in self.arbiter() for worker in _children_of(arbiter)]

    def timers(self) -> list[psutil.Process]:
        """The process that fires timers."""
        return [child for child in self._children() if _is(child, "worker")]

    def everything(self) -> list[psutil.Process]:
        """All of it, the supervisor first."""
        if self.supervisor.poll() is not None:
            return []
        return [psutil.Process(self.supervisor.pid), *_children_of(psutil.Process(self.supervisor.pid), recursive=True)]

    def kill_everything(self) -> None:
        """As when the power fails."""
        doomed = self.everything()
        for process in doomed:
            _kill(process)
        self.supervisor.wait(20)
        psutil.wait_procs(doomed, timeout=20)

    def kill(self, what: str, dice) -> str:
        """Kill -9 one of `web`, `arbiter`, `timers` or `everything`; answers what was killed: a web process where the other is too young."""
        if what == "everything":
            self.kill_everything()
            self.start()
            return what
        old_enough = [each for each in getattr(self, what)() if what == "web" or time.time() - each.create_time() > HEALTHY_AFTER]
        if not old_enough:
            return self.kill("web", dice) if what != "web" else "nothing"
        _kill(dice.choice(old_enough))
        return what

    def await_complete(self) -> None:
        """Until all processes are there and the web answers."""
        eventually(self._complete, PATIENCE)

    def _complete(self) -> bool:
        assert self.supervisor.poll() is None, self.log.read_text()[-3000:]
        if len(self.web()) < self.web_processes or not self.timers():
            return False
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def _children(self) -> list[psutil.Process]:
        return _children_of(psutil.Process(self.supervisor.pid)) if self.supervisor.poll() is None else []


class Program:
    """A program that uses the API over one connection, and asks again with the same key until it is answered."""

    def __init__(self, port: int, username: str):
        """Signs in with the first request."""
        self.port, self.username = port, username
        self.connection: http.client.HTTPConnection | None = None
        self.token: str | None = None
        self.repeated = 0

    def sign_in(self) -> None:
        """A token, which the database keeps whoever is killed."""
        self.token = self.ask("POST", "/tokens", {"username": self.username, "password": PASSWORD})["token"]

    def ask(self, method: str, path: str, body: dict | None = None, key: str | None = None) -> dict:
        """The answer. Refusals are failures of the test; no answer, and "not now", are asked again."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                status, content = self._once(method, path, body, key)
                if status < 300:
                    return content
                assert status in (503, 507), (method, path, status, content)
            except (OSError, http.client.HTTPException, ValueError):  # broken off; ValueError: in the middle of the JSON
                self.close()
            assert time.monotonic() < until, f"no answer: {method} {path}"
            self.repeated += 1
            time.sleep(0.1)

    def _once(self, method: str, path: str, body: dict | None, key: str | None) -> tuple[int, dict]:
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key:
            headers["Idempotency-Key"] = key
        self.connection.request(method, f"/api/v1{path}", json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content)

    def close(self) -> None:
        """End the connection; the next request opens another."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


class Crowd:
    """Programs at work in threads: each calls `work(program, number)` again and again until told to stop; a failure is kept."""

    def __init__(self, programs: list[Program], work: Callable[[Program, int], None]):
        """`number` counts the program's turns."""
        self._stop = threading.Event()
        self.failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._run, args=(program, work), daemon=True) for program in programs]

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(2 * PATIENCE)

    def _run(self, program: Program, work) -> None:
        number = 0
        try:
            program.sign_in()
            while not self._stop.is_set() and not self.failures:
                work(program, number)
                number += 1
        except BaseException as error:  # shown by the test, which looks at `failures`
            self.failures.append(error)
        finally:
            program.close()


def _is(process: psutil.Process, word: str) -> bool:
    try:
        return word in process.cmdline()[1:]
    except psutil.Error:
        return False


def _children_of(process: psutil.Process, recursive: bool = False) -> list[psutil.Process]:
    try:
        return [child for child in process.children(recursive) if child.status() != psutil.STATUS_ZOMBIE]
    except psutil.Error:
        return []


def _kill(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        pass
