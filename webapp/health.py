"""Is it alive, is it ready, how much has it done: for whoever watches the server. No personal data, no log-in."""

import functools
import os
import time

from flask import Blueprint, current_app, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from sqlalchemy import text

from webapp.auth import system

pages = Blueprint("health", __name__)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def register(app) -> None:
    """Count requests by route, and answer the three questions."""
    registry = CollectorRegistry()
    app.extensions["metrics"] = registry
    requests = Counter("shuibo_http_requests", "Requests answered", ["method", "route", "status"], registry=registry)
    seconds = Histogram("shuibo_http_seconds", "Seconds to answer", ["route"], registry=registry)
    counted = functools.cache(requests.labels)  # there are as many as routes; looking one up costs more than counting
    timed = functools.cache(seconds.labels)

    @app.before_request
    def start():
        g.began = time.perf_counter()

    @app.after_request
    def count(response):
        asked = request._get_current_object()
        route = asked.url_rule.rule if asked.url_rule else "unknown"
        method = asked.method if asked.method in METHODS else "other"  # else a stranger could make as many lines as there are words
        counted(method, route, response.status_code).inc()
        if (began := g.get("began")) is not None:
            timed(route).observe(time.perf_counter() - began)
        return response

    app.register_blueprint(pages)


@pages.get("/health/live")
def live():
    """The process answers."""
    return jsonify(status="ok")


@pages.get("/health/ready")
def ready():
    """The process can work: the database answers. 503 otherwise."""
    try:
        with system().database.read() as session:
            session.execute(text("select 1 from stream limit 1"))
    except Exception as error:  # whatever it is, we are not ready; the class tells an administrator enough
        return jsonify(status="unready", database=type(error).__name__), 503
    return jsonify(status="ok")


@pages.get("/metrics")
def metrics():
    """Prometheus' text format: of all web processes where PROMETHEUS_MULTIPROC_DIR names the folder in which they count, else of this one."""
    registry = current_app.extensions["metrics"]
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    return generate_latest(registry), 200, {"Content-Type": CONTENT_TYPE_LATEST}
