"""Gunicorn's settings: `gunicorn -c python:webapp.gunicorn_conf 'webapp:create_app()'`. `shuibo run` starts it so."""

import contextlib
import ctypes
import os
import select
import socket
import sys
import threading
import time

from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from engine.system import settle
from webapp.logs import Lines
from webapp.supervisor import die_with_parent

LINGER = 0.005  # seconds
# Seconds in which a request must have come, its body included: who sends a byte now and then would hold a thread for ever.
PATIENCE = float(os.environ.get("SHUIBO_WEB_PATIENCE", "90"))


class Doorkeeper(threading.Thread):
    """Stops listening to requests that take too long to arrive. An answer that takes long is sent all the same."""

    def __init__(self):
        """Started in each worker (`post_worker_init`)."""
        super().__init__(name="doorkeeper", daemon=True)
        self._open: dict[int, tuple[socket.socket, float]] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def watching(self, sock: socket.socket):
        """While a request comes in on `sock` and is answered."""
        with self._lock:
            self._open[id(sock)] = sock, time.monotonic() + PATIENCE
        try:
            yield
        finally:
            with self._lock:
                self._open.pop(id(sock), None)

    def run(self) -> None:
        """Look once a second."""
        while True:
            time.sleep(min(1.0, PATIENCE / 4))
            with self._lock:
                late = [sock for sock, until in self._open.values() if time.monotonic() > until]
            for sock in late:
                with contextlib.suppress(OSError):  # it has gone meanwhile
                    sock.shutdown(socket.SHUT_RD)


class LingeringWorker(ThreadWorker):
    """Gunicorn's threads, each staying with its connection for a moment after an answer.

    Who asks again at once, as programs do, and browsers for a page's parts, is served without two hand-overs between threads: a third
    of what HTTP costs. Only while there is a thread for every connection, so that nobody waits for one that lingers.
    """

    doorkeeper = Doorkeeper()

    def handle(self, conn):
        """A request, and those that follow on its heels. Answers what gunicorn's does: whether to keep the connection."""
        while (kept := self._handle_one(conn)) is True and self.alive and self.nr_conns <= self.cfg.threads:
            if not conn.parser.unreader.buf.getvalue() and not select.select([conn.sock], [], [], LINGER)[0]:
                break
        return kept

    def _handle_one(self, conn):
        with self.doorkeeper.watching(conn.sock):
            return super().handle(conn)


class ServerLog(Logger):
    """Gunicorn's log without the requests it tells of: their addresses hold search words, their headers tokens."""

    def setup(self, cfg) -> None:
        """Gunicorn's own, in our lines."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(Lines())

    def warning(self, msg, *args, **kwargs) -> None:
        """While an error is being handled it is a request that cannot be read, quoted in the message."""
        refused = sys.exc_info()[0]
        if refused is not None:
            msg, args = "request refused: %s", (refused.__name__,)
        super().warning(msg, *args, **kwargs)

    def exception(self, msg, *args, **kwargs) -> None:
        """The error's class and places; the message may name the address."""
        self.error_log.error("gunicorn could not go on with a request or connection", exc_info=True)


bind = f"{os.environ.get('SHUIBO_HOST', '127.0.0.1')}:{os.environ.get('SHUIBO_PORT', '8000')}"
wsgi_app = "webapp:create_app()"
proc_name = "shuibo-web"

worker_class = LingeringWorker
forwarded_allow_ips = ""  # no header makes a request secure; behind a proxy, SHUIBO_PROXIES says how many to believe
workers = int(os.environ.get("SHUIBO_WEB_PROCESSES", "2"))
threads = int(os.environ.get("SHUIBO_WEB_THREADS", "8"))
keepalive = 15
timeout = 60
# Less than the supervisor's patience, so that requests under way are answered before anyone is killed.
graceful_timeout = 10
# Heartbeat files in memory: a slow disk must not look like a hung worker.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None

# Nothing but the application answers; who did what is the event chain's business, not a log's.
control_socket_disable = True
accesslog = None
errorlog = "-"
logger_class = ServerLog
loglevel = "warning"


def _give_back_what_hashing_used() -> None:
    """Keep glibc from moving what is as large as a password hash's 19 MiB onto the heaps of the threads that asked for it, where it would
    stay: with a fixed threshold it is mapped and unmapped each time (mallopt(3), M_MMAP_THRESHOLD). Inherited by the workers."""
    with contextlib.suppress(AttributeError):  # another C library, without this habit
        ctypes.CDLL(None).mallopt(-3, 1024 * 1024)


_give_back_what_hashing_used()


def post_fork(server, worker):
    """A worker whose arbiter was killed must not go on holding the port."""
    die_with_parent(server.pid)


def post_worker_init(worker):
    """The application is loaded."""
    settle()
    worker.doorkeeper.start()
