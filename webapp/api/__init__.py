"""`/api/v1`: everything a program can do, described at `/api/v1/openapi.json`. Bearer tokens only; errors are RFC 9457 problem documents."""

from flask_smorest import Api

from webapp.security import csrf

PREFIX = "/api/v1"


class ProblemApi(Api):
    """flask-smorest, with the application's own error handlers (webapp/errors.py) instead of its."""

    def _register_error_handlers(self):
        pass


def register(app) -> None:
    """Mount the API; cookies and form tokens have no meaning there."""
    from webapp.api import cases, clients, definitions, tasks, tokens

    app.config.update(
        API_TITLE="Shuibo 水泊",
        API_VERSION="1",
        OPENAPI_VERSION="3.0.3",
        OPENAPI_URL_PREFIX=PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = ProblemApi(
        app,
        spec_kwargs={
            "info": {
                "description": "Errors are application/problem+json (RFC 9457) with a stable `code`. Lists answer `{items, next}`; pass `next` "
                "as `cursor`. Writes accept `Idempotency-Key`: a repeated key gets the first answer, with another body it is a 422."
            },
            "security": [{"bearer": []}],
        },
    )
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    for module in (tokens, definitions, cases, tasks, clients):
        csrf.exempt(module.routes)
        api.register_blueprint(module.routes, url_prefix=PREFIX)
