"""Bad requests as bytes on a connection to the real server: headers without end, bodies in pieces, bodies that never come."""

import json
import socket

import pytest

from tests.faults.product import Product
from tests.support.browsers import eventually
from tests.support.counties import prepare_with_procedures

THREADS = 4
REQUEST = b"POST /api/v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def product(new_module_database, tmp_path_factory):
    """One web process with few threads and little patience."""
    url = new_module_database("sqlite", prepare_with_procedures)
    settings = {"SHUIBO_WEB_THREADS": str(THREADS), "SHUIBO_WEB_PATIENCE": "3"}
    with Product(url, tmp_path_factory.mktemp("product"), web_processes=1, **settings) as running:
        yield running


def connect(product: Product) -> socket.socket:
    return socket.create_connection(("127.0.0.1", product.port), timeout=60)


def ask(product: Product, *parts: bytes) -> tuple[int, bytes]:
    """Send these bytes; (status, the rest of what comes back). 0: the connection was closed without a word."""
    with connect(product) as sock:
        answer = b""
        try:
            for part in parts:
                sock.sendall(part)
        except OSError:
            pass  # it was closed before all was sent: what it said is still there
        try:
            while piece := sock.recv(65_536):
                answer += piece
        except ConnectionResetError:
            pass
    return (int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0), answer


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


IN_CHUNKS = REQUEST + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
WRONG = json.dumps({"username": "nobody", "password": "wrong"}).encode()


def test_a_body_in_chunks_is_read_as_any_other(product):
    status, answer = ask(product, IN_CHUNKS, chunked(WRONG[:7], WRONG[7:]))
    assert status == 401 and b'"wrong_credentials"' in answer


def test_a_body_in_chunks_has_the_same_limit(product):
    status, answer = ask(product, IN_CHUNKS, chunked(*[b" " * 60_000] * 60))
    assert status == 413 and b'"too_large"' in answer


BROKEN = {
    "a chunk that is no number": (IN_CHUNKS + b"zz\r\nx\r\n0\r\n\r\n", {400}),
    "a negative chunk": (IN_CHUNKS + b"-1\r\nx\r\n0\r\n\r\n", {400}),
    "a chunk that never ends": (IN_CHUNKS + b"ffffff\r\nx", {400}),
    "two lengths": (REQUEST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", {400}),
    "a length and chunks": (REQUEST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400}),
    "a negative length": (REQUEST + b"Content-Length: -1\r\n\r\n", {400}),
    "a length that is no number": (REQUEST + b"Content-Length: x\r\n\r\n", {400}),
    "an unknown coding": (REQUEST + b"Transfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n" + chunked(b"{}"), {400, 415, 422, 501}),
    "a header of 100 kB": (REQUEST + b"X: " + b"x" * 100_000 + b"\r\n\r\n", {400, 431}),
    "a thousand headers": (REQUEST + b"X: y\r\n" * 1_000 + b"\r\n", {400, 431}),
    "a header without a colon": (REQUEST + b"nonsense\r\n\r\n", {400}),
    "a null in a header": (REQUEST + b"X: a\x00b\r\n\r\n", {400}),
    "an address of 100 kB": (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", {400, 414}),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) + b"\r\n\r\n", {0, 400}),
    "HTTP of the future": (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", {400, 505}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_request_is_refused_and_the_next_one_answered(product, name):
    content, allowed = BROKEN[name]
    status, answer = ask(product, content)
    assert status in allowed, (status, answer[:300])
    assert ask(product, b"GET /health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")[0] == 200
    assert "Traceback" not in product.log.read_text()


def test_requests_that_never_come_to_an_end_hold_the_server_for_a_moment_only(product):
    """More slow senders than there are threads: they waited for the rest of the body as long as the sender pleased."""
    slow = [connect(product) for _ in range(THREADS * 3)]
    try:
        for number, sock in enumerate(slow):
            sock.sendall(REQUEST + (b"Content-Length: 100000\r\n\r\n{" if number % 2 else b"X-Slow: "))
        assert eventually(lambda: ask(product, b"GET /health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")[0] == 200, 60)
    finally:
        for sock in slow:
            sock.close()
