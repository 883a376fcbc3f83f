"""No log holds what people typed: the real product's standard error, while people and programs use it rightly, wrongly and over a broken database."""

import http.client
import json
import logging
import re
import socket
import sqlite3
import sys
import threading
import urllib.parse
import warnings
from contextlib import closing

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from engine.db import Database
from tests.faults.product import Product, Program
from tests.support.browsers import eventually
from tests.support.counties import prepare_with_procedures
from tests.support.county import PASSWORD
from tests.support.web import forms
from webapp import logs

NAME, ADDRESS, ANSWER, SEARCH = "龘靐齾", "靁霣巷九号", "齉爩鱻麤", "灪鬱鸞"
PHONE, NUMBER, USERNAME, WRONG = "13912345678", "11010519491231002X", "xiaoming.lin", "my-real-password-elsewhere"
MARKS = [NAME, ADDRESS, ANSWER, SEARCH, PHONE, NUMBER, USERNAME, WRONG, PASSWORD]


def spellings(mark: str) -> set[str]:
    """A mark as logs could have it: plain, in an address, as JSON or Python write it, as bytes."""
    return {mark, urllib.parse.quote(mark), json.dumps(mark)[1:-1], ascii(mark)[1:-1], repr(mark.encode())[2:-1], mark.encode().decode("latin-1")}


class Browser:
    """A person's browser, as plain as can be."""

    def __init__(self, port: int):
        self.port, self.cookies = port, {}

    def ask(self, method: str, path: str, data: dict | None = None):
        """(status, text); cookies are kept."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            body = urllib.parse.urlencode(data or {}, doseq=True) if method == "POST" else None
            headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
            if body is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request(method, urllib.parse.quote(path, safe="/?=&%"), body, headers)
            answer = connection.getresponse()
            for line in answer.headers.get_all("Set-Cookie") or ():
                name, _, value = line.partition(";")[0].partition("=")
                self.cookies[name] = value
            return answer.status, answer.read().decode()

    def submit(self, path: str, data: dict, page: str | None = None):
        """A form, with the hidden fields of its page."""
        return self.ask("POST", path, forms(self.ask("GET", page or path)[1], path) | data)


def raw(port: int, line: str) -> bytes:
    """What is no HTTP at all."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as connection:
        connection.sendall(line.encode())
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(65536)


def program(port: int, method: str, path: str, body, token: str | None, kind: str = "application/json") -> int:
    """The status of one request of a program."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        headers = {"Content-Type": kind} | ({"Authorization": f"Bearer {token}"} if token else {})
        content = body if isinstance(body, str) or body is None else json.dumps(body, ensure_ascii=False)
        connection.request(method, f"/api/v1{urllib.parse.quote(path, safe='/?=&%')}", content and content.encode(), headers)
        return connection.getresponse().status


def use(port: int, token: str) -> set[int]:
    """A day's work with pages and programs, right and wrong; the statuses that came."""
    person = {"name": NAME, "phone": PHONE, "id_number": NUMBER, "birth_date": "1949-12-31", "address": ADDRESS}
    seen = set()
    api = lambda *call: seen.add(program(port, *call))  # noqa: E731
    api("POST", "/clients", {"place": "room-001", "data": person}, token)
    api("GET", f"/clients?q={SEARCH}", None, token)
    api("GET", f"/clients?nonsense={SEARCH}", None, token)
    api("GET", f"/clients/{NAME}", None, token)
    api("GET", f"/nowhere/{NAME}", None, token)
    api("POST", "/clients", {"place": "room-001", "data": person | {"phone": ANSWER, NAME: ANSWER}}, token)
    api("POST", "/instances", {"definition": "service_delivery", "place": "room-001", "data": {"clientName": NAME, ANSWER: ANSWER}}, token)
    api("POST", "/instances", f'{{"definition": "{NAME}", ', token)
    api("POST", "/instances", f"definition={NAME}", token, "application/x-www-form-urlencoded")
    api("POST", "/tokens", {"username": USERNAME, "password": WRONG}, None)
    api("GET", "/me", None, WRONG)
    browser = Browser(port)
    wrong = {"username": USERNAME, "password": WRONG, "next": f"/clients/?q={SEARCH}"}
    seen.add(browser.submit("/login", wrong)[0])
    seen.add(browser.submit("/login", {"username": "ft-01-1", "password": PASSWORD})[0])
    seen.add(browser.submit("/clients/new", person | {"place": "room-001", "id_number": "110105194912310011"})[0])
    seen.add(browser.submit("/clients/new", person | {"place": "room-001"})[0])
    for path in (f"/clients/?q={SEARCH}", f"/cases/?q={NAME}", f"/people/{NAME}", f"/units/{NAME}", f"/tasks/?view={ANSWER}", f"/{NAME}"):
        seen.add(browser.ask("GET", path)[0])
    seen.add(browser.ask("POST", "/clients/new", person)[0])  # without its form token
    for line in (
        f"GET /clients/?q={SEARCH} HTTP/1.1 {NAME}\r\n\r\n",
        f"GET /clients/?q={PHONE} HTTP/1.1\r\nX {NAME}: {ANSWER}\r\n\r\n",
        f"{NAME} / HTTP/1.1\r\n\r\n",
        f"GET /?q={NUMBER} HTTP/9.{PHONE}\r\n\r\n",
        f"GET /{'x' * 9000}{PHONE} HTTP/1.1\r\n\r\n",
        f"POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{NUMBER}\r\n",
    ):
        raw(port, line)
    return seen


def test_no_log_of_the_product_holds_what_people_typed(new_database, tmp_path):
    url = new_database("sqlite", prepare_with_procedures)
    with Product(url, tmp_path) as product:
        client = Program(product.port, "ft-01-1")
        client.sign_in()
        seen = use(product.port, client.token)
        assert {200, 201, 302, 400, 401, 404, 415, 422} <= seen and not {status for status in seen if status >= 500}, seen
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)) as database:
            for table in ("client_index", "sign_in_failure", "start_timer"):
                database.execute(f"alter table {table} rename to gone_{table}")
            database.commit()
        assert 500 in use(product.port, client.token)
        eventually(lambda: "worker" in product.log.read_text(), 60)
    told = product.log.read_text()
    assert "internal_error" in told and "OperationalError" in told and "request refused" in told, "the log tells of faults"
    leaked = [(mark, line[:300]) for line in told.splitlines() for mark in MARKS for form in spellings(mark) if form in line]
    assert leaked == []
    assert not re.search(r"127\.0\.0\.1(?!:)", told), "nor addresses"


@pytest.fixture
def lines(capsys):
    """The log's lines since it was configured anew, and as it was afterwards."""
    before = logging.getLogger().handlers[:], sys.excepthook, threading.excepthook
    logging.captureWarnings(False)  # an application made before in this process has them already
    logs.configure()
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    logging.captureWarnings(False)
    logging.getLogger().handlers[:], sys.excepthook, threading.excepthook = before


def test_exceptions_are_told_by_class_and_place_whoever_logs_them(lines):
    def fail():
        raise ValueError(f"no number: {PHONE}")

    try:
        fail()
    except ValueError:
        logging.getLogger("engine.worker").exception("timer %s failed", 7)
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"suspicious: {NAME}", stacklevel=1)
    told = lines()
    assert told[0]["event"] == "timer 7 failed" and told[0]["error"] == "ValueError" and told[0]["at"][-1].endswith(" fail")
    assert told[1]["event"] == "uncaught" and told[1]["error"] == "ValueError"
    assert told[2]["logger"] == "py.warnings" and "test_logs.py" in str(told[2]["event"])
    assert not any(mark in json.dumps(told, ensure_ascii=False) for mark in (PHONE, NAME))


def test_an_error_of_the_database_quotes_no_values(database_url):
    database = Database(database_url)
    with pytest.raises(SQLAlchemyError) as error, database.engine.connect() as connection:
        connection.execute(text("select * from nowhere where name = :name"), {"name": NAME})
    assert NAME not in str(error.value)
    plain = create_engine(database_url)
    with pytest.raises(SQLAlchemyError) as error, plain.connect() as connection:
        connection.execute(text("select * from nowhere where name = :name"), {"name": NAME})
    assert NAME in str(error.value), "it would by itself"
    plain.dispose()
    database.dispose()
