"""The web application: pages for people, `/api/v1` for programs. It holds no state but caches; the engine does the work."""

from flask import Flask

from engine.db import Database
from engine.system import System
from engine.vault import Vault
from webapp import assets, auth, errors, health, i18n, logs, rights, security, words
from webapp.config import MEGABYTE, Settings

# A page's form may carry long texts; a bundle of diagrams has its own, larger limit (webapp/county and webapp/api).
BODY_LIMIT = 2 * MEGABYTE
FORM_FIELDS = 5000


class Application(Flask):
    """Flask without coroutines."""

    def ensure_sync(self, func):
        """Every function here is an ordinary one; Flask would ask that of each at every request."""
        return func


def create_app(config: dict | None = None) -> Flask:
    """The application. `config` holds `Settings` by name (`database_url=…`, `clock=…`); the environment gives the rest.

    Called once in each web process, after it was forked. Raises MasterKeyMissing: the key is made by `shuibo run`, never here.
    """
    settings = Settings.read(**(config or {}))
    logs.configure()
    app = Application(__name__, static_folder=None)
    furnish(app, settings)
    app.config.update(
        TESTING=settings.testing,
        MAX_CONTENT_LENGTH=BODY_LIMIT,
        MAX_FORM_MEMORY_SIZE=BODY_LIMIT,
        MAX_FORM_PARTS=FORM_FIELDS,
        PROPAGATE_EXCEPTIONS=False,
    )
    app.json.ensure_ascii = False
    app.json.sort_keys = False
    for part in (i18n, words, assets, security, errors, auth, rights, health):
        part.register(app)
    _add_pages(app)
    if settings.proxies:
        from werkzeug.middleware.proxy_fix import ProxyFix

        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=settings.proxies)
    return app


def furnish(app: Flask, settings: Settings) -> None:
    """Give an application its installation: database, keys, clock. Nothing else in it depends on which one it serves.

    Raises MasterKeyMissing.
    """
    app.extensions["settings"] = settings
    app.extensions["system"] = System(
        Database(settings.database_url), Vault.from_file(settings.master_key_file), settings.county_id, settings.zone
    )
    app.clock = settings.clock
    app.config["SECRET_KEY"] = settings.secret_key()


def _add_pages(app: Flask) -> None:
    from webapp import (
        account,
        api,
        audit,
        cases,
        clients,
        county,
        definitions,
        dispatch,
        documents,
        inbox,
        operations,
        outings,
        registers,
        regulations,
        reruns,
        settings,
        waivers,
    )

    parts = (account, inbox, dispatch, waivers, outings, cases, documents, clients, county, definitions, reruns, registers, regulations)
    for part in (*parts, operations, settings, audit):
        app.register_blueprint(part.pages)
    api.register(app)
