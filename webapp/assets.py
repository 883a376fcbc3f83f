"""Addresses of static files. Each carries a hash of the file, so a browser may keep it for ever and still gets every new one."""

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import url_for

FOREVER = 365 * 24 * 3600
STATIC = Path(__file__).parent / "static"


def register(app) -> None:
    """Templates write `asset('site.css')`."""
    app.jinja_env.globals["asset"] = asset


def asset(name: str) -> str:
    """The address of a file in webapp/static/."""
    path = STATIC / name
    try:
        return url_for("static", filename=name, v=_digest(name, path.stat().st_mtime_ns))
    except OSError:  # not built yet; the page works without
        return url_for("static", filename=name)


@lru_cache(maxsize=200)
def _digest(name: str, _modified: int) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
