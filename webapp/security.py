"""What every answer tells the browser not to do, and the cookie that carries the form tokens."""

from flask import Request, abort, request
from flask.sessions import SecureCookieSessionInterface
from flask_babel import gettext
from flask_wtf import CSRFProtect
from werkzeug.exceptions import UnsupportedMediaType

csrf = CSRFProtect()
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
BUNDLES = {"definitions.deploy", "definitions-api.deploy"}
BUNDLE_LIMIT = 10 * 1024 * 1024
HSTS = ("Strict-Transport-Security", f"max-age={365 * 24 * 3600}")


class FormTokenCookie(SecureCookieSessionInterface):
    """Flask's signed cookie; it holds the form token and flashed words, nothing else. Secure, and bound to the host, under https."""

    def get_cookie_name(self, app) -> str:
        """`__Host-` forbids other hosts of the domain to set it."""
        return cookie_name("form")

    def get_cookie_secure(self, app) -> bool:
        """As the request came."""
        return request.is_secure

    def open_session(self, app, request):
        """Programs have tokens and no cookie."""
        return self.session_class() if request.path.startswith("/api/") else super().open_session(app, request)

    def save_session(self, app, session, response):
        """Nothing to keep for a program."""
        if not request.path.startswith("/api/"):
            super().save_session(app, session, response)


def cookie_name(name: str) -> str:
    """A cookie's full name: with the `__Host-` prefix where the connection is encrypted."""
    return f"__Host-shuibo-{name}" if request.is_secure else f"shuibo-{name}"


def register(app) -> None:
    """Refuse what is no honest request, check the form token of every form, send the headers with every answer."""
    app.session_interface = FormTokenCookie()
    app.config.update(
        SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax", WTF_CSRF_TIME_LIMIT=12 * 3600, WTF_CSRF_CHECK_DEFAULT=False
    )
    csrf.init_app(app)
    app.before_request(guard)
    app.wsgi_app = with_headers(app.wsgi_app)


def guard() -> None:
    """Before anything else looks at a request. Programs carry no cookie that another site could use, and so no form token."""
    asked = request._get_current_object()  # the proxy would look it up at each attribute
    refuse_encoded(asked)
    if asked.endpoint in BUNDLES:  # a bundle of diagrams may be larger than what people type; before anything reads the form
        asked.max_content_length = asked.max_form_memory_size = BUNDLE_LIMIT
    program = asked.path.startswith("/api/")
    if program:
        refuse_form(asked)
    if asked.method == "POST":
        refuse_nameless(asked)
    if not program:
        csrf.protect(apply_exemptions=True)
    refuse_null(asked)


def refuse_encoded(asked: Request) -> None:
    """Bodies are taken as they are: a compressed one may hold anything, of any size (RFC 9110, 15.5.16)."""
    if asked.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        refused = UnsupportedMediaType()
        refused.data = {
            "code": "content_encoding_unsupported",
            "message": gettext("不支持压缩的请求内容。"),
            "hint": gettext("请不加 Content-Encoding，原样发送。"),
            "headers": {"Accept-Encoding": "identity"},
        }
        raise refused


def refuse_form(asked: Request) -> None:
    """A program sends JSON or files. What a browser's form can send to any site without asking is never a program's request."""
    if asked.mimetype in ("application/x-www-form-urlencoded", "text/plain"):
        raise UnsupportedMediaType()


def refuse_nameless(asked: Request) -> None:
    """A part of a form that has no name is none of ours, and breaks whoever looks through the names for the form token."""
    if asked.mimetype == "multipart/form-data" and None in asked.form:
        abort(400)


def refuse_null(asked: Request) -> None:
    """A null character belongs into no address and no form field, and PostgreSQL stores none. Bodies of files may hold them."""
    if "\x00" in asked.path:
        abort(404)
    if b"%00" in asked.query_string:
        abort(400)
    if asked.method == "POST" and asked.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        if any("\x00" in text for _name, text in asked.form.items(multi=True)):
            abort(400)


def with_headers(application):
    """The WSGI application, with HEADERS in every answer of it that does not say otherwise itself, as files of ours do.

    Default deny for the browser: pages about people are kept by nobody.
    """

    def answered(environ, start_response):
        def start(status, headers, exc_info=None):
            said = {name.lower() for name, _value in headers}
            headers += [pair for pair in HEADERS.items() if pair[0].lower() not in said]
            if environ["wsgi.url_scheme"] == "https":
                headers.append(HSTS)
            return start_response(status, headers, exc_info)

        return application(environ, start)

    return answered
