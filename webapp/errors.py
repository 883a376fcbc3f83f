"""One table: which error of the engine has which HTTP status; and how an error is shown, as a page or as an RFC 9457 problem document."""

import re
import secrets

import structlog
from flask import Response, g, jsonify, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from flask_wtf.csrf import CSRFError
from gunicorn.http.errors import NoMoreData, ParseException
from werkzeug.exceptions import BadRequest, HTTPException

from engine import exceptions as e
from engine.feel import FeelError
from engine.permissions import may
from engine.waivers import DECIDERS
from webapp.i18n import in_chinese, translated
from webapp.logs import places

log = structlog.get_logger("shuibo.web")

STATUS: dict[type[e.EngineError], int] = {
    e.NotSignedIn: 401,
    e.WrongCredentials: 401,
    e.TooManyAttempts: 429,
    e.Forbidden: 403,
    e.RegulationRefused: 409,
    e.NotFound: 404,
    e.InvalidRequest: 422,
    e.InvalidForm: 422,
    e.IdempotencyMismatch: 422,
    e.StaleVersion: 409,
    e.UnitClosed: 409,
    e.TaskTaken: 409,
    e.TaskNotYours: 409,
    e.TaskClosed: 409,
    e.InstanceClosed: 409,
    e.OutingClosed: 409,
    e.AlreadyOut: 409,
    e.AlertClosed: 409,
    e.EntryEnded: 409,
    e.RegisterFileInvalid: 422,
    e.NotRefused: 409,
    e.NotWaivable: 409,
    e.WaiverKnown: 409,
    e.WaiverClosed: 409,
    e.NoIncident: 409,
    e.NotOffered: 403,
    e.NoSuchToken: 409,
    e.NoSuchTimer: 409,
    e.NoSuchSubscription: 409,
    e.StateUnreadable: 500,
    e.CalledByCase: 409,
    e.MessageKnown: 409,
    e.JobNotYours: 409,
    e.DeployRefused: 422,
    e.NotPublished: 409,
    e.StartedByEvent: 409,
    e.VersionClosed: 409,
    e.BasedOnOlder: 409,
    e.RerunEnded: 409,
    e.CalendarInvalid: 422,
    e.CountyFileInvalid: 422,
    e.DecisionFailed: 422,
    FeelError: 422,
    e.StorageFull: 507,
    e.DatabaseBusy: 503,
    e.DatabaseUnavailable: 503,
    e.Erased: 410,
    e.MasterKeyMissing: 503,
    e.SealBroken: 500,
    e.WrongMasterKey: 500,
    e.BackupProblem: 500,
}
OTHERWISE = 422
IDS = re.compile(r" ?“[0-9a-f]{32,64}”")  # says nothing to people: the address of the page has it too
RETRY_SECONDS = 5  # what a program is told to wait when the database is busy or away

# What the server, the router or the parser refuse: title and what to do next.
PAGES = {
    400: (lazy_gettext("请求无法理解"), lazy_gettext("请检查填写的内容后重试。")),
    401: (lazy_gettext("请先登录"), lazy_gettext("请重新登录。")),
    403: (lazy_gettext("没有权限"), lazy_gettext("如果工作需要，请联系站长或县中心管理员。")),
    404: (lazy_gettext("没有找到"), lazy_gettext("地址可能写错了，或者内容已移走。可以从首页重新找。")),
    405: (lazy_gettext("这个地址不支持这种操作"), lazy_gettext("请从页面上的按钮操作。")),
    406: (lazy_gettext("无法按要求的格式回答"), lazy_gettext("接口只提供 JSON。")),
    409: (lazy_gettext("情况已经变化"), lazy_gettext("请刷新后查看当前状态。")),
    410: (lazy_gettext("内容已按规定删除"), lazy_gettext("历史链仍可验证，内容无法恢复。")),
    413: (lazy_gettext("提交的内容太大"), lazy_gettext("请分开提交，或压缩后再传。")),
    415: (lazy_gettext("不支持这种内容格式"), lazy_gettext("接口请用 application/json；部署请用 multipart/form-data。")),
    422: (lazy_gettext("内容有误"), lazy_gettext("请按提示更正后重试。")),
    429: (lazy_gettext("操作太频繁"), lazy_gettext("请稍后再试。")),
    500: (lazy_gettext("系统出错了"), lazy_gettext("您的操作没有保存。请重试；如果仍然失败，请把编号告诉管理员。")),
    503: (lazy_gettext("系统暂时不可用"), lazy_gettext("请稍后再试，或联系管理员。")),
    507: (lazy_gettext("存储空间已满"), lazy_gettext("您的操作没有保存。请联系管理员腾出空间。")),
}
# What happened, where the title does not say it all.
TOLD = {
    404: lazy_gettext("没有这个页面。"),
    413: lazy_gettext("一次提交的内容超过了上限。"),
    500: lazy_gettext("程序遇到了没有料到的情况。"),
}
CODES = {
    400: "bad_request",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    422: "invalid_request",
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
    507: "storage_full",
}


def status_of(error: e.EngineError) -> int:
    """The HTTP status of an engine error, by its class or the nearest class above it."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), OTHERWISE)


def register(app) -> None:
    """Every error of the application is shown by these three handlers."""
    app.register_error_handler(e.EngineError, show_engine_error)
    app.register_error_handler(HTTPException, show_http_error)
    app.register_error_handler(ParseException, show_broken_body)
    app.register_error_handler(NoMoreData, show_broken_body)
    app.register_error_handler(Exception, show_unknown_error)


def show_engine_error(error: e.EngineError):
    """A refusal of the engine: its own words, translated."""
    status = status_of(error)
    if status >= 500:
        log.error("engine_error", code=error.code, reference=reference(), rule=str(request.url_rule))
    message, hint = translated(error)
    wait = error.facts["seconds"] if isinstance(error, e.TooManyAttempts) else RETRY_SECONDS if status == 503 else None
    return answer(status, error.code, message, hint, extras(error), {"Retry-After": str(wait)} if wait else None)


def show_http_error(error: HTTPException):
    """What routing or parsing refused. A redirect is no error."""
    if error.code is None or error.code < 400:
        return error
    if isinstance(error, CSRFError):
        return answer(400, "form_expired", gettext("页面打开得太久，安全标记已失效。"), gettext("请返回上一页，刷新后重新提交。"))
    title, hint = PAGES.get(error.code, PAGES[400] if error.code < 500 else PAGES[500])
    data = getattr(error, "data", None) or {}  # webargs and flask-smorest put their findings here
    more = {"errors": _flat(data["messages"])} if data.get("messages") else {}
    detail = data.get("message") or str(TOLD.get(error.code, title))
    headers = dict(data.get("headers") or {})
    if getattr(error, "valid_methods", None):
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return answer(error.code, data.get("code") or CODES.get(error.code, "bad_request"), detail, data.get("hint") or str(hint), more, headers)


def show_broken_body(_error: Exception):
    """The server finds only while a body is read that its pieces are none, or that it breaks off."""
    return show_http_error(BadRequest())


def show_unknown_error(error: Exception):
    """A fault of ours: the page gives a reference, the log says where, and neither holds what people typed."""
    log.error("internal_error", reference=reference(), error=type(error).__name__, method=request.method, rule=str(request.url_rule), at=places(error))
    return answer(500, "internal_error", str(TOLD[500]), str(PAGES[500][1]))


def answer(status: int, code: str, message: str, hint: str, more: dict | None = None, headers: dict | None = None):
    """The error as a problem document under /api, as a page elsewhere."""
    if request.path.startswith("/api/"):
        return problem(status, code, message, hint, more, headers)
    facts = {"status": status, "title": str(PAGES.get(status, PAGES[400])[0]), "message": IDS.sub("", message), "hint": hint, "code": code}
    facts |= {"reference": reference(), "more": more or {}}
    try:
        body = render_template("error.html", **facts)
    except e.EngineError:  # what stands around it, such as the reader's name, cannot be had either
        g.actor = None
        body = render_template("error.html", **facts)
    return body, status, headers or {}


def problem(status: int, code: str, message: str, hint: str = "", more: dict | None = None, headers: dict | None = None) -> Response:
    """RFC 9457. `code` is stable and for programs; `detail` and `hint` are for people, in their language."""
    body = {
        "type": f"urn:shuibo:problem:{code}",
        "title": str(PAGES.get(status, PAGES[400])[0]),
        "status": status,
        "code": code,
        "detail": message,
        **({"hint": hint} if hint else {}),
        "instance": request.path,
        "reference": reference(),
        **(more or {}),
    }
    response = jsonify(body)
    response.status_code = status
    response.content_type = "application/problem+json"
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="shuibo"'
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


def extras(error: e.EngineError) -> dict:
    """What some errors tell besides their message: fields, verdicts, findings, when to try again."""
    if isinstance(error, e.InvalidForm):
        return {"errors": {path: translated_text(text) for path, text in error.errors.items()}}
    if isinstance(error, e.RegulationRefused):
        return {"verdicts": verdicts(error)}
    if isinstance(error, e.DeployRefused):
        return {"findings": [finding.as_dict() for finding in error.findings]}
    if isinstance(error, e.RegisterFileInvalid):
        return {"lines": [fault.as_dict(english=not in_chinese()) for fault in error.faults]}
    if isinstance(error, e.InvalidRequest) and "field" in error.facts:
        return {"errors": {str(error.facts["field"]): translated_text(str(error.facts.get("reason", "")))}}
    return {}


def translated_text(text: str) -> str:
    """A message of the engine in the reader's language. Those of forms carry their own English."""
    if in_chinese() or not text:
        return str(text)
    return getattr(text, "english", None) or gettext(text)


def verdict(each) -> dict:
    """A regulation's verdict for people and programs, in the reader's language."""
    get = each.get if isinstance(each, dict) else lambda name, default=None: getattr(each, name, default)
    return {
        "rule": get("rule"),
        "effect": str(get("effect")),
        "message": get("message") if in_chinese() else (get("message_en") or get("message")),
        "hint": (get("hint") if in_chinese() else (get("hint_en") or get("hint"))) or "",
        "source": get("source"),
        "waivable_by": get("waivable_by"),
        "table": get("table"),
        "version": get("version"),
        "facts": get("facts") or {},
    }


def verdicts(error: e.EngineError | None) -> list[dict]:
    """What the regulations that refuse say, each with the address at which a waiver may be asked for, None where there can be none."""
    about = (getattr(error, "evidence", None) or {}).get("facts", {})
    return [verdict(each) | {"waivers_url": _waivers_url(each, about)} for each in getattr(error, "verdicts", ())]


def _waivers_url(each, about: dict) -> str | None:
    if each.effect != "waiver" or each.waivable_by not in DECIDERS or not about.get("instance") or not may(g.actor, "waiver:ask"):
        return None
    if request.path.startswith("/api/"):
        return url_for("waivers-api.ask")
    what = {"task": about["task"]} if about.get("task") else {"instance": about["instance"]}
    who = {"person": about["person"]} if about.get("person") not in (None, g.actor.person_id) else {}
    return url_for("waivers.new", rule=each.rule, **what, **who)


def reference() -> str:
    """A short id of this request that a person can read out to an administrator."""
    if "reference" not in g:
        g.reference = secrets.token_hex(4).upper()
    return g.reference


def _flat(messages, path: str = "") -> dict[str, str]:
    """webargs' nested findings as path → text: `{"json": {"data": ["…"]}}` → `{"data": "…"}`."""
    if isinstance(messages, dict):
        found: dict[str, str] = {}
        for key, value in messages.items():
            inner = path if not path and key in ("json", "query", "headers", "files", "form") else f"{path}.{key}" if path else str(key)
            found |= _flat(value, inner)
        return found
    texts = messages if isinstance(messages, list) else [messages]
    return {path or "body": " ".join(_said(str(text)) for text in texts)}


# What marshmallow says, in Chinese; it says it in English itself.
MARSHMALLOW = [
    (r"Missing data for required field\.", "缺少这个栏目。"),
    (r"Unknown field\.", "没有这个栏目。"),
    (r"Field may not be null\.", "不能为空。"),
    (r"Invalid input type\.", "应为一个 JSON 对象。"),
    (r"Not a valid (?:string|text)\.", "应为文字。"),
    (r"Not a valid mapping type\.", "应为一个 JSON 对象。"),
    (r"Not a valid integer\.", "应为整数。"),
    (r"Must be one of: (.+)\.", "只能是 {0}。"),
    (r"Longer than maximum length (\d+)\.", "最多 {0} 个字符。"),
    (r"Shorter than minimum length (\d+)\.", "至少 {0} 个字符。"),
    (r"Must be greater than or equal to (\d+) and less than or equal to (\d+)\.", "应在 {0} 到 {1} 之间。"),
]


def _said(text: str) -> str:
    if in_chinese():
        for pattern, chinese in MARSHMALLOW:
            if match := re.fullmatch(pattern, text):
                return chinese.format(*match.groups())
        return text
    return gettext(text)


