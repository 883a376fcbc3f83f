"""Static files. An address carries a hash of its file, so a browser may keep the file for ever and still gets every new one."""

import gzip
import hashlib
import mimetypes
from functools import lru_cache
from pathlib import Path

from flask import Response, abort, request, url_for
from werkzeug.security import safe_join

STATIC = Path(__file__).parent / "static"
FOREVER = 365 * 24 * 3600
AN_HOUR = 3600
PACKED = ("text/", "application/json", "image/svg+xml")


def register(app) -> None:
    """Templates write `asset('site.css')`."""
    app.jinja_env.globals["asset"] = asset
    app.add_url_rule("/static/<path:filename>", "static", serve)


def asset(name: str) -> str:
    """The address of a file in webapp/static/."""
    try:
        return url_for("static", filename=name, v=_read(name, (STATIC / name).stat().st_mtime_ns)[2])
    except OSError:  # not built yet; the page works without
        return url_for("static", filename=name)


def serve(filename: str) -> Response:
    """One file, packed if the browser unpacks; kept for ever under its hashed address, an hour under the plain one."""
    path = safe_join(str(STATIC), filename)
    if path is None or not Path(path).is_file():
        abort(404)
    content, packed, digest = _read(filename, Path(path).stat().st_mtime_ns)
    kind = mimetypes.guess_type(filename)[0] or "application/octet-stream"
    response = Response(content, mimetype=kind)
    if packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.set_data(packed)
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    age = FOREVER if request.args.get("v") == digest else AN_HOUR
    response.headers["Cache-Control"] = f"public, max-age={age}" + (", immutable" if age == FOREVER else "")
    response.set_etag(f"{digest}{'-gz' if 'Content-Encoding' in response.headers else ''}")
    return response.make_conditional(request)


@lru_cache(maxsize=100)
def _read(name: str, _modified: int) -> tuple[bytes, bytes | None, str]:
    """(content, the same packed or None, hash); remembered until the file changes."""
    content = (STATIC / name).read_bytes()
    kind = mimetypes.guess_type(name)[0] or ""
    packed = gzip.compress(content, 9) if kind.startswith(PACKED) and len(content) > 1000 else None
    return content, packed, hashlib.sha256(content).hexdigest()[:10]
