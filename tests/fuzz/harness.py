"""The application under fuzzing: raw WSGI requests in this process, each answer checked.

`Target.send` is the only way in. It holds every answer to the same promises: never a 5xx; a refusal under /api is a problem document with
a code and a hint; a refusal or a look changes nothing but access streams and counters of failed sign-ins; no request computes for long.
"""

import io
import json
import signal
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

import pytest

from tests.support.counties import County, prepare_with_procedures
from tests.support.web import Site, forms
from tests.support.writes import COUNT, count_writes
from webapp.demo.answers import answer

CPU_SECONDS = 5  # of one request; an ordinary one takes some milliseconds
MARK = "<script>fuzz()</script>"  # must never come back as it is in a page
ROLES = ("supervisor", "auditor", "admin", "lead-01", "ft-01-1", "volunteer-01-1", "assistant-001", "resident-1", "lead-02")


class Failure(AssertionError):
    """An answer that breaks a promise, with the request that got it."""


class TooLong(BaseException):
    """A request used up its processor time; no handler of the application may catch it."""


@dataclass
class Request:
    """One request as bytes on the wire, nearly: `path` may hold anything that can be quoted, `query` is raw."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    address: str = "127.0.0.1"

    def environ(self) -> dict:
        """WSGI's, as gunicorn would make it."""
        environ = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(self.path.encode(errors="surrogatepass")).decode("latin-1"),
            "QUERY_STRING": quote(self.query, safe="%&=+;/?:@!$'()*,[]~-._").encode().decode("latin-1")
            if not self.query.isascii()
            else self.query,
            "RAW_URI": self.path,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self.address,
            "HTTP_HOST": "localhost",
            "CONTENT_LENGTH": str(len(self.body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.input_terminated": True,
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        if "HTTP_TRANSFER_ENCODING" in environ:
            del environ["CONTENT_LENGTH"]
        return environ

    def __str__(self) -> str:
        headers = {name: value[:200] for name, value in self.headers.items() if name != "Authorization"}
        return f"{self.method} {self.path[:300]!r} ?{self.query[:300]!r} {headers!r} {len(self.body)}B {self.body[:1500]!r}"


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body."""
        return self.body.decode()

    @property
    def json(self):
        """The body, parsed."""
        return json.loads(self.body)


class Target:
    """A small county with some cases, its application, and everybody's tokens."""

    def __init__(self, url: str, folder: Path, known: dict):
        """`known`: what `seed` told of the database that `url` is a copy of."""
        self.county = County(url)
        self.site = Site(self.county, folder)
        self.app = self.site.app
        self.known = known
        self.sent = 0
        self._forms: dict[str | None, tuple[str, str]] = {}
        self.statuses: dict[int, int] = {}
        self._reader = self.county.system.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._writes = self._count()

    def send(self, request: Request, who: str | None = None) -> Answer:
        """Send, check, answer. `who`: a role with a token, or None. Raises Failure."""
        if who and "Authorization" not in request.headers and request.path.startswith("/api/"):
            request.headers["Authorization"] = f"Bearer {self.known['tokens'][who]}"
        elif who and not request.path.startswith("/api/"):
            request.headers.setdefault("Cookie", self.known["cookies"][who])
        request.address = f"10.{self.sent >> 16 & 255}.{self.sent >> 8 & 255}.{self.sent & 255}"  # who guesses too often has to wait
        told: list = []
        with _processor_time(request):
            chunks = self.app.wsgi_app(request.environ(), lambda status, headers, exc_info=None: told.extend((status, headers)))
            with closing(chunks) if hasattr(chunks, "close") else closing(io.BytesIO()):
                body = b"".join(chunks)
        got = Answer(int(told[0][:3]), {name.lower(): value for name, value in told[1]}, body)
        self.sent += 1
        self.statuses[got.status] = self.statuses.get(got.status, 0) + 1
        self._check(request, got, who)
        return got

    def _check(self, request: Request, got: Answer, who: str | None) -> None:
        if got.status >= 500 or got.status < 200:
            raise Failure(f"{got.status} for {who}: {request}\n{got.body[:2000]!r}")
        if got.status >= 400:
            _check_refusal(request, got, who)
        if got.headers.get("content-type", "").startswith("text/html") and MARK.encode() in got.body:
            raise Failure(f"markup came back as it was, for {who}: {request}")
        before, self._writes = self._writes, self._count()
        # A look at a person's record is noted in the access stream; nothing else may change.
        if (got.status >= 400 or request.method in ("GET", "HEAD", "OPTIONS")) and before != self._writes:
            raise Failure(f"{got.status} for {who} changed the database: {request}")

    def form_token(self, who: str | None) -> tuple[str, str]:
        """(form token, cookies) of a browser of this person, or of nobody's; asked for once."""
        if who not in self._forms:
            got = self.send(Request("GET", "/account" if who else "/login"), who)
            cookie = got.headers["set-cookie"].split(";")[0]
            assert cookie.startswith("shuibo-form="), cookie
            held = [self.known["cookies"][who], cookie] if who else [cookie]
            self._forms[who] = forms(got.text, "/login")["csrf_token"], "; ".join(held)
        return self._forms[who]

    def pass_time(self, **delta) -> None:
        """Let time pass and the worker do what is due."""
        self.county.pass_time(**delta)
        self._writes = self._count()

    def _count(self) -> int:
        return self._reader.execute(COUNT).scalar_one()

    def close(self) -> None:
        """Check the history; let go of the database."""
        try:
            assert self.county.faults() == []
        finally:
            self._reader.close()
            self.site.close()
            self.county.system.database.dispose()


def _check_refusal(request: Request, got: Answer, who: str | None) -> None:
    if request.method == "HEAD":
        return
    if not request.path.startswith("/api/"):
        return
    if got.headers.get("content-type") != "application/problem+json":
        raise Failure(f"{got.status} is no problem document, for {who}: {request}\n{got.body[:500]!r}")
    told = got.json
    missing = [name for name in ("type", "title", "status", "code", "detail", "hint", "instance", "reference") if not told.get(name)]
    if missing or told["status"] != got.status or not told["type"].endswith(told["code"]):
        raise Failure(f"{got.status}: problem without {missing}, for {who}: {request}\n{told!r}")
    if len(got.body) > 300_000:
        raise Failure(f"{got.status}: a refusal of {len(got.body)} bytes, for {who}: {request}")


@contextmanager
def _processor_time(request: Request):
    """End a request that computes for too long. Processor time, so that a busy machine changes nothing."""

    def ring(_signal, _frame):
        raise TooLong(f"more than {CPU_SECONDS} s of processor time: {request}")

    former = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, former)


# --- what the county holds ------------------------------------------------------------------------------------------

@pytest.fixture
def target(new_database, tmp_path):
    """`with target("sqlite") as fuzzed: fuzzed.send(…)`: a fresh county each time; its history is verified at the end."""

    @contextmanager
    def fresh(backend: str = "sqlite"):
        made = Target(new_database(backend, seed), tmp_path, KNOWN[backend])
        try:
            yield made
        except BaseException:
            made.site.close()
            raise
        made.close()

    return fresh


KNOWN: dict[str, dict] = {}  # by backend: what `seed` made


def seed(url: str) -> None:
    """A county with procedures, some people served, cases at several steps, and a token for everybody."""
    prepare_with_procedures(url)
    county = County(url)
    with tempfile.TemporaryDirectory() as folder:
        site = Site(county, Path(folder))
        KNOWN[url.split(":")[0].split("+")[0]] = _seeded(site)
        site.close()
    count_writes(county.system.database)
    county.system.database.dispose()


def _seeded(site: Site) -> dict:
    programs = {who: site.api(who) for who in ROLES}
    clients = [_registered(programs["ft-01-1"], name) for name in ("张三", "李四")]
    cases = [_started(programs["ft-01-1"], place="room-001", client=clients[0]), _started(programs["ft-01-1"], place="room-002")]
    cases += [_started(programs["lead-02"], place="station-02")]
    tasks = [_tasks(programs["supervisor"], case)[0] for case in cases]
    assert programs["assistant-001"].post(f"/tasks/{tasks[0]}/claim").status_code == 200
    cases.append(_started(programs["ft-01-1"], place="room-001", client=clients[1]))
    first = _tasks(programs["supervisor"], cases[-1])[0]
    assert programs["assistant-001"].post(f"/tasks/{first}/claim").status_code == 200
    form = programs["assistant-001"].get(f"/tasks/{first}").json["form"]
    visit = answer(form, {"basis": "consent", "consentSigned": True, "crisis": False, "urgency": "normal"}, site.county.now)
    done = programs["assistant-001"].post(f"/tasks/{first}/complete", {"data": visit})
    assert done.status_code == 200, done.text
    tasks += [first, *_tasks(programs["supervisor"], cases[-1])]
    return {
        "tokens": {who: program.token for who, program in programs.items()},
        "cookies": {who: f"shuibo-session={program.token}" for who, program in programs.items()},
        "clients": clients,
        "cases": cases,
        "tasks": tasks,
        "people": [site.county.act(who).person_id for who in ("ft-01-1", "lead-02", "admin")],
        "claimed": tasks[0],
        "visit": visit,
    }


def _registered(program, name: str) -> str:
    made = program.post("/clients", {"place": "room-001", "data": {"name": name, "birth_date": "1950-03-08", "phone": "13800000000"}})
    assert made.status_code == 201, made.text
    return made.json["id"]


def _started(program, **more) -> str:
    made = program.post("/instances", {"definition": "service_delivery", "data": {}, **more})
    assert made.status_code == 201, made.text
    return made.json["id"]


def _tasks(program, case: str) -> list[str]:
    return [task["id"] for task in program.get(f"/instances/{case}").json["tasks"]]
