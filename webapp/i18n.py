"""Languages: Chinese is the source of every text, English a catalogue. Data (diagrams, forms, verdicts) carries its own English."""

from datetime import UTC, date, datetime

from flask import current_app, g, request
from flask_babel import Babel, format_date, format_datetime, get_locale, gettext, ngettext

from engine.exceptions import EngineError

COOKIE = "lang"
LANGUAGES = {"zh": "zh_Hans_CN", "en": "en"}
babel = Babel()


def register(app) -> None:
    """Choose the language by cookie; show times in the county's zone."""
    app.config["BABEL_DEFAULT_LOCALE"] = LANGUAGES["zh"]
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    babel.init_app(app, locale_selector=choose, timezone_selector=lambda: app.extensions["settings"].zone.key)
    app.jinja_env.filters |= {"moment": moment, "day": day, "named": named, "distance": distance}
    app.jinja_env.globals |= {"in_chinese": in_chinese}


def choose() -> str:
    """The language of this request: the switch's cookie; for programs the header; Chinese otherwise."""
    wanted = request.cookies.get(COOKIE)
    if wanted is None and request.path.startswith("/api/"):
        wanted = request.accept_languages.best_match(["zh", "en"], default="zh")
    return LANGUAGES.get(wanted, LANGUAGES["zh"])


def in_chinese() -> bool:
    """Whether this reader reads Chinese."""
    locale = get_locale()
    return locale is None or locale.language == "zh"


def translated(error: EngineError) -> tuple[str, str]:
    """An engine error's message and hint in the reader's language; facts that are themselves words of the catalogue too."""
    from webapp.words import fact

    facts = {name: fact(value) if isinstance(value, str) and value else value for name, value in error.facts.items()}
    if in_chinese():
        return tuple(_fill(part, facts) for part in error.template())
    if "permission" in error.facts:  # the same Chinese words name what has happened, in the history
        facts["permission"] = may_do(str(error.facts["permission"]))
    if hasattr(error, "verdicts"):
        facts["reasons"] = "; ".join(getattr(each, "message_en", "") or each.message for each in error.verdicts)
    if hasattr(error, "findings") and error.findings:
        facts["first"] = error.findings[0].message_en
    return tuple(_fill(gettext(part), facts) if part else "" for part in error.template())


def may_do(permission: str) -> str:
    """What a permission allows, in the reader's language, as in “you may not …”."""
    known = gettext(f"权限：{permission}")
    return gettext(permission) if known.startswith("权限：") else known


def named(thing: dict | None, chinese: str = "name", english: str = "name_en") -> str:
    """A name that data carries in both languages: the reader's, or else the other."""
    if not thing:
        return ""
    get = thing.get if isinstance(thing, dict) else lambda key: getattr(thing, key, None)
    first, second = (chinese, english) if in_chinese() else (english, chinese)
    return get(first) or get(second) or ""


def as_instant(value) -> datetime | None:
    """A datetime from what the engine or stored JSON gives: aware datetimes, ISO texts."""
    if value is None or isinstance(value, datetime):
        return value
    try:
        parsed = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def moment(value) -> str:
    """A time for people, in the county's zone: `11月24日 16:30`; the year only where it is another one."""
    at = as_instant(value)
    if at is None:
        return ""
    local = at.astimezone(current_app.extensions["settings"].zone)
    this_year = local.year == now().astimezone(local.tzinfo).year
    if in_chinese():
        return format_datetime(at, "M月d日 HH:mm" if this_year else "y年M月d日 HH:mm")
    return format_datetime(at, "d MMM HH:mm" if this_year else "d MMM y HH:mm")


def day(value) -> str:
    """A date for people."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value[:10])
        except ValueError:
            return value
    return format_date(value, "y年M月d日" if in_chinese() else "d MMM y") if value else ""


def distance(value) -> str:
    """How far a moment is: `还有 3 天`, `超期 2 小时`."""
    at = as_instant(value)
    if at is None:
        return ""
    seconds = (at - now()).total_seconds()
    amount = abs(seconds)
    if amount < 3600:
        number = max(1, round(amount / 60))
        text = ngettext("%(num)d 分钟", "%(num)d 分钟", number)
    elif amount < 86400:
        text = ngettext("%(num)d 小时", "%(num)d 小时", round(amount / 3600))
    else:
        text = ngettext("%(num)d 天", "%(num)d 天", round(amount / 86400))
    return gettext("还有 %(time)s", time=text) if seconds >= 0 else gettext("超期 %(time)s", time=text)


def now() -> datetime:
    """The present of this request: one moment for all it does."""
    held = g._get_current_object()
    if "now" not in held:
        held.now = current_app.clock()
    return held.now


def _fill(template: str, facts: dict) -> str:
    try:
        return template.format(**facts)
    except (KeyError, IndexError):
        return template
