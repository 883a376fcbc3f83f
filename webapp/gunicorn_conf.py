"""Gunicorn's settings: `gunicorn -c python:webapp.gunicorn_conf 'webapp:create_app()'`. `shuibo run` starts it so."""

import contextlib
import ctypes
import os

from engine.system import settle
from webapp.supervisor import die_with_parent

bind = f"{os.environ.get('SHUIBO_HOST', '127.0.0.1')}:{os.environ.get('SHUIBO_PORT', '8000')}"
wsgi_app = "webapp:create_app()"
proc_name = "shuibo-web"

worker_class = "gthread"
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
