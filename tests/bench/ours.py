"""The same processes on our engine: by command in this process, and over HTTP through gunicorn with a token."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select

from engine import instances
from engine.commands.definitions import deploy, publish
from engine.commands.installation import deploy_directory
from engine.commands.instances import start
from engine.commands.tasks import claim, complete
from engine.instances import Task
from engine.organisation import Actor
from tests.support.counties import County, prepare
from tests.support.county import MASTER_KEY, PASSWORD
from tests.support.databases import ROOT

DIAGRAMS = Path(__file__).parents[1] / "bpmn" / "bench"
TEN_FIELDS = json.loads((Path(__file__).with_name("ten_fields.json")).read_text(encoding="utf-8"))


def open_county(folder: Path, name: str, regulations: bool = False) -> County:
    """A migrated, seeded SQLite county with the bench's two processes published, and the product's own procedures and `regulations`."""
    url = f"sqlite:///{folder / f'{name}.db'}"
    prepare(url)
    county = County(url)
    for process, form in (("three_tasks", "ten_fields"), ("loop", "again")):
        files = {name: (DIAGRAMS / name).read_bytes() for name in (f"{process}.bpmn", f"{form}.form")}
        answer = deploy(county.system, county.act("supervisor"), files, now=county.now)
        publish(county.system, county.act("supervisor"), answer["key"], answer["number"], now=county.now)
    if regulations:
        deploy_directory(county.system, Actor.system("county"), ROOT / "bpmn", county.now)
    return county


class ByCommand:
    """Completions by calling the command."""

    def __init__(self, county: County):
        self.county, self.actor = county, county.act("ft-01-1")

    def start(self, process: str) -> str:
        """A new case; answers its id."""
        return start(self.county.system, self.actor, process, place="room-001", now=self.county.now)["id"]

    def claim(self, instance_id: str) -> str:
        """Claim the case's open task; answers its id."""
        with self.county.system.database.read() as session:
            task_id = session.scalar(select(Task.id).where(Task.instance_id == instance_id, Task.status == "offered"))
        claim(self.county.system, self.actor, task_id, now=self.county.now)
        return task_id

    def complete(self, task_id: str, data: dict) -> None:
        """What is measured."""
        complete(self.county.system, self.actor, task_id, data, now=self.county.now)

    def size(self, instance_id: str) -> int:
        """Bytes stored of a case's state."""
        with self.county.system.database.read() as session:
            return len(session.get(instances.Instance, instance_id).sealed_state)


class OverHttp:
    """Completions by a program with a token, on one kept-alive connection to gunicorn.

    The client is a bare socket: a client library of Python costs as much as the server's own part of HTTP.
    """

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.token = ""
        self.token = self.call("POST", "/tokens", {"username": "ft-01-1", "password": PASSWORD})["token"]

    def call(self, method: str, path: str, body: dict | None = None) -> dict:
        """One request; anything but success stops the bench."""
        content = json.dumps(body or {}).encode()
        head = (
            f"{method} /api/v1{path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.token}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        self.socket.sendall(head.encode() + content)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        header, _, content = received.partition(b"\r\n\r\n")
        length = int(re.search(rb"content-length: (\d+)", header, re.IGNORECASE)[1])
        while len(content) < length:
            content += self._more()
        if not header.startswith(b"HTTP/1.1 2"):
            raise RuntimeError(f"{method} {path}: {header[:40]!r} {content[:500]!r}")
        return json.loads(content)

    def _more(self) -> bytes:
        part = self.socket.recv(65536)
        if not part:
            raise RuntimeError("the server closed the connection")
        return part

    def start(self, process: str) -> str:
        """A new case; answers its id."""
        return self.call("POST", "/instances", {"definition": process, "data": {}, "place": "room-001"})["id"]

    def claim(self, instance_id: str) -> str:
        """Claim the case's open task; answers its id."""
        [task] = [task for task in self.call("GET", f"/instances/{instance_id}")["tasks"] if task["status"] == "offered"]
        self.call("POST", f"/tasks/{task['id']}/claim")
        return task["id"]

    def complete(self, task_id: str, data: dict) -> None:
        """What is measured."""
        self.call("POST", f"/tasks/{task_id}/complete", {"data": data})


@contextmanager
def gunicorn(county: County, folder: Path, processes: int = 1):
    """The product's web server on a free port; answers the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    key = folder / "master.key"
    key.write_text(MASTER_KEY.hex())
    environment = os.environ | {
        "SHUIBO_DATABASE_URL": county.url,
        "SHUIBO_MASTER_KEY_FILE": str(key),
        "SHUIBO_COUNTY": county.system.county_id,
        "SHUIBO_PORT": str(port),
        "SHUIBO_VAR": str(folder),
        "SHUIBO_WEB_PROCESSES": str(processes),
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "python:webapp.gunicorn_conf"]
    with (folder / "gunicorn.log").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            _await(port, server)
            yield port
        finally:
            server.terminate()
            server.wait(20)


def _await(port: int, server: subprocess.Popen) -> None:
    for _ in range(200):
        if server.poll() is not None:
            raise RuntimeError("gunicorn did not start; see gunicorn.log")
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("gunicorn does not answer")
