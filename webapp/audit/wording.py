"""Streams and access events in words: which case, which paper, on what device; ids and routes only where nothing else names a thing."""

from flask import url_for
from flask_babel import gettext, lazy_gettext

from engine import definitions, organisation, permissions
from engine.instances import Instance
from webapp.account.sessions import DEVICES
from webapp.auth import actor, session, system
from webapp.cases.timeline import element_name
from webapp.i18n import may_do, moment

# Streams of which a county has one, or whose subject must not be named here.
STREAMS = {
    "organisation": lazy_gettext("机构与人员"),
    "accounts": lazy_gettext("账号"),
    "parameters": lazy_gettext("参数"),
    "calendar": lazy_gettext("工作日历"),
    "regulations": lazy_gettext("制度"),
    "client": lazy_gettext("服务对象"),
    "household": lazy_gettext("家庭"),
    "party": lazy_gettext("当事人"),
    "outing": lazy_gettext("外出"),
}


def stream_name(stream: str) -> tuple[str, str | None]:
    """(what a stream is the history of, the address of its page or None)."""
    subject, _, identity = stream.partition("/")
    if subject == "instance" and (case := _case(identity)) is not None:
        return gettext("个案 %(number)s", number=case.number), url_for("cases.case", instance_id=case.id)
    if subject == "definition":
        return f"{gettext('流程')} {identity.partition('/')[2]}", None
    if subject == "access":
        known = organisation.names_of(session(), system().vault, {identity})
        return f"{gettext('访问记录')} {known.get(identity, '')}".strip(), None
    return str(STREAMS.get(subject, stream)), None


def told(line: dict) -> list[tuple[str, str, str | None]]:
    """What an event of an access stream was about, as (label, text, address or None)."""
    facts = line["facts"]
    case = _case(facts.get("instance") or (facts.get("object") if facts.get("route", "").startswith(("cases.", "instances-api.")) else None))
    found: list[tuple[str, str, str | None]] = []
    if case is not None:
        found.append((gettext("个案"), case.number, url_for("cases.case", instance_id=case.id)))
        if element := facts.get("element"):
            process = definitions.compiled(system(), session(), case.version_id).process
            found.append((gettext("环节"), element_name(process.elements.get(element)) or element, None))
    if client := facts.get("client"):
        address = url_for("clients.client", client_id=client) if permissions.may(actor(), "client:read") else None
        found.append((gettext("服务对象"), gettext("打开资料") if address else client[-8:], address))
    if reason := (line["data"] or {}).get("reason") or facts.get("reason"):
        found.append((gettext("原因"), str(reason).replace("case ", f"{gettext('个案')} ", 1), None))
    if permission := facts.get("permission"):
        found.append((gettext("权限"), may_do(permission), None))
    if route := facts.get("route"):
        found.append((gettext("操作"), f"{facts.get('method', '')} {route} {facts.get('code', '')}".strip(), None))
    if rules := facts.get("rules"):
        found.append((gettext("规则"), gettext("、").join(map(str, rules)), None))
    if device := facts.get("device"):
        found.append((gettext("设备"), str(DEVICES.get("program" if facts.get("kind") == "api" else device, DEVICES["other"])), None))
    if ended := facts.get("ended"):
        found.append((gettext("结束的登录"), str(ended), None))
    if expires := facts.get("expires_at"):
        found.append((gettext("到期"), moment(expires), None))
    return found


def _case(identity: str | None) -> Instance | None:
    found = session().get(Instance, identity) if identity else None
    return found if found is not None and found.county_id == actor().county_id else None
