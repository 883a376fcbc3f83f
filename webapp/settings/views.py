"""The calendar's years and the parameters: what is in force, and how to change it."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import select

from engine import calendar as calendars, parameters as parameter_rows
from engine.calendar import CalendarYear
from engine.commands import calendars as importing, definitions as commands
from engine.exceptions import CalendarInvalid, InvalidRequest
from webapp.auth import command, session, system
from webapp.errors import status_of
from webapp.i18n import now, translated
from webapp.places import places

pages = Blueprint("settings", __name__, template_folder="templates", url_prefix="/settings")
YEARS = range(2000, 2101)


@pages.get("/calendar")
def calendar():
    """The years that were imported, day by day."""
    return _calendar()


@pages.post("/calendar")
def import_calendar():
    """A year from an administrator's file, or from the library that comes with the product."""
    year = request.form.get("year", 0, type=int)
    try:
        if year not in YEARS:
            raise InvalidRequest(field="year", reason="请填写年份，例如 2027")
        upload = request.files.get("file")
        if upload is not None and upload.filename:
            found = calendars.parse_csv(_text(upload.read()), year, upload.filename)
        else:
            found = calendars.chinese_year(year)
            if found is None:
                raise InvalidRequest(field="year", reason="随附的日历里没有这一年，请上传文件")
    except (CalendarInvalid, InvalidRequest) as refusal:
        return _calendar(refusal, year), status_of(refusal)
    answer = command(importing.import_year, found)
    flash(
        gettext(
            "已导入 %(year)d 年：节假日 %(holidays)d 天，调休上班 %(workdays)d 天；重新核算了 %(cases)d 个个案的期限。", **answer
        ),
        "ok",
    )
    return redirect(url_for("settings.calendar"))


@pages.get("/parameters")
def parameters():
    """Every parameter: its value for the county, the stations that differ, where it comes from."""
    return _parameters()


@pages.post("/parameters")
def set_parameter():
    """A new value from now on, for the county or one station."""
    key = request.form.get("key", "")
    try:
        value = _number(request.form.get("value", ""), key)
        command(commands.set_parameter, key, value, request.form.get("unit") or None)
    except InvalidRequest as refusal:
        return _parameters(refusal, key), status_of(refusal)
    flash(gettext("参数已更新，从现在起生效；进行中的个案此后设定的期限按新值计算。"), "ok")
    return redirect(url_for("settings.parameters") + f"#{key}")


def _calendar(refusal=None, year: int | None = None):
    query = select(CalendarYear).where(CalendarYear.county_id == system().county_id).order_by(CalendarYear.year.desc())
    today = now().astimezone(system().zone).date()
    missing = calendars.missing_years(session(), system().county_id, today)
    return render_template(
        "settings/calendar.html",
        rows=list(session().scalars(query)),
        year=year or (missing or [today.year + 1])[0],
        refusal=translated(refusal) if refusal else None,
        missing=missing,
    )


def _parameters(refusal=None, key: str | None = None):
    rows = parameter_rows.history(session(), system().county_id)
    county = parameter_rows.effective(rows, now())
    own = {}
    for place in places().stations():
        for name, row in parameter_rows.effective(rows, now(), place.id).items():
            if row.unit_id is not None:
                own.setdefault(name, []).append((place, row))
    return render_template(
        "settings/parameters.html",
        county=sorted(county.values(), key=lambda row: row.key),
        own=own,
        stations=places().stations(),
        refusal=translated(refusal) if refusal else None,
        wrong=key if refusal else None,
    )


def _text(content: bytes) -> str:
    """A CSV as spreadsheets write it here: UTF-8 or GB 18030."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            return content.decode("gb18030")
        except UnicodeDecodeError:
            raise CalendarInvalid(line=1, reason="文件编码应为 UTF-8 或 GB 18030") from None


def _number(text: str, key: str):
    """What was typed, as the parameter's own type. Raises InvalidRequest."""
    rows = parameter_rows.history(session(), system().county_id, key)
    text = text.strip()
    if not rows or isinstance(rows[0].value, str):
        return text
    try:
        number = float(text)
    except ValueError:
        raise InvalidRequest(field=key, reason="应为数字") from None
    if not 0 <= number <= 100_000:
        raise InvalidRequest(field=key, reason="应在 0 到 100000 之间")
    return int(number) if number == int(number) else number
