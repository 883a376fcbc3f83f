"""Gunicorn's settings: `gunicorn -c python:webapp.gunicorn_conf 'webapp:create_app()'`. `shuibo run` starts it so."""

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


def post_fork(server, worker):
    """A worker whose arbiter was killed must not go on holding the port."""
    die_with_parent(server.pid)


def post_worker_init(worker):
    """The application is loaded."""
    settle()
