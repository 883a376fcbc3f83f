"""What codes are called: statuses, roles, kinds of events. One place, so that a word reads alike on every page; and the navigation."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import g, request, url_for
from flask_babel import gettext, lazy_gettext as _l

from engine import assignment, handovers
from engine.organisation import Actor
from engine.permissions import may
from webapp.i18n import as_instant, in_chinese, now

KEPT = {  # codes of engine.handovers.HandoverTask
    "changed": _l("其间任务有了变化"),
    "not_found": _l("接手的人已经不在岗"),
    "receiver_unfit": _l("接手的人不能办理这项任务"),
    "regulation_refused": _l("制度不允许接手的人办理"),
    "invalid_request": _l("这项任务不能再派人"),
}
STATUSES = {
    "active": _l("进行中"),
    "incident": _l("有故障"),
    "completed": _l("已完成"),
    "cancelled": _l("已终止"),
    "offered": _l("待领取"),
    "claimed": _l("办理中"),
    "draft": _l("草稿"),
    "published": _l("已发布"),
    "withdrawn": _l("已停用"),
    "planned": _l("准备外出"),
    "out": _l("外出中"),
    "returned": _l("已安全返回"),
    "running": _l("重算中"),
    "done": _l("已算完"),
    "failed": _l("没有算成"),
}
WAIVER_STATUSES = {  # as engine.waivers.NAMES
    "asked": _l("等待答复"),
    "granted": _l("已批准"),
    "expired": _l("已到期"),
    "refused": _l("未批准"),
    "withdrawn": _l("已撤回"),
    "revoked": _l("已撤销"),
}
ROLES = {
    "supervisor": _l("督导"),
    "lead": _l("站长"),
    "worker": _l("社工"),
    "auditor": _l("审计员"),
    "admin": _l("管理员"),
    "resident": _l("居民"),
    "program": _l("外部程序"),
    "system": _l("系统"),
    "full_time": _l("专职社工"),
    "part_time": _l("兼职社工"),
    "assistant": _l("社工助理员"),
    "volunteer": _l("志愿者"),
    "partner": _l("联动伙伴"),
    "partner:petition": _l("信访干部"),
    "partner:mediator": _l("调解员"),
    "partner:child": _l("儿童主任"),
    "partner:care": _l("护理员（护工）"),
    "partner:ceremony": _l("红白理事会成员"),
    "partner:protection": _l("未保单位"),
}
# What a parameter counts in. `switch` is 1 or 0.
UNITS = {
    "minutes": _l("分钟"),
    "hours": _l("小时"),
    "working_days": _l("个工作日"),
    "days": _l("天"),
    "months": _l("个月"),
    "years": _l("年"),
    "years_of_age": _l("周岁"),
    "cases": _l("件"),
    "people": _l("人"),
    "organisations": _l("家"),
    "percent": "%",
    "points": _l("分"),
    "yuan": _l("元"),
    "switch": _l("（1 是，0 否）"),
}
# A kind of event → (what happened, how it looks). Kinds that are missing show their code; a test holds the list complete.
EVENTS: dict[str, tuple[object, str]] = {
    "instance:started": (_l("个案已发起"), "good"),
    "instance:cancelled": (_l("终止个案"), "bad"),
    "instance:retried": (_l("重试故障步骤"), "warned"),
    "instance:moved": (_l("随村合并转入新的社工室"), ""),
    "case:called": (_l("发起下级个案"), ""),
    "operation:moved": (_l("手工推进"), "warned"),
    "operation:corrected": (_l("手工更正数据"), "warned"),
    "message:published": (_l("收到消息"), ""),
    "message:correlated": (_l("消息送达"), ""),
    "message:expired": (_l("消息过期"), "quiet"),
    "signal:broadcast": (_l("广播信号"), ""),
    "delivery:queued": (_l("等待投递"), "quiet"),
    "delivery:done": (_l("已投递"), "quiet"),
    "delivery:dropped": (_l("不再需要投递"), "quiet"),
    "delivery:failed": (_l("投递失败"), "bad"),
    "delivery:retried": (_l("重新投递"), "warned"),
    "job:activated": (_l("程序领取作业"), "quiet"),
    "task:claimed": (_l("领取任务"), ""),
    "task:released": (_l("退回任务"), "warned"),
    "task:delegated": (_l("转派任务"), ""),
    "task:returned": (_l("退还给转派的人"), "warned"),
    "task:reoffered": (_l("点名的人都不能办理，改请站长或本泳道的人办理"), "warned"),
    "task:assigned": (_l("系统派给排在第一的人"), ""),
    "task:dispatched": (_l("调度"), ""),
    "task:handed_over": (_l("移交任务"), ""),
    "task:taken_back": (_l("任务交还"), ""),
    "task:not_moved": (_l("任务没有移交"), "warned"),
    "task:completed": (_l("办结任务"), "good"),
    "task:late": (_l("任务逾期"), "warned"),
    "period:ended": (_l("一个时期结束"), ""),
    "regulation:checked": (_l("制度核对"), "quiet"),
    "regulation:refused": (_l("制度不允许"), "bad"),
    "right:refused": (_l("没有权限"), "bad"),
    "timer:due": (_l("期限已到"), "warned"),
    "timer:failed": (_l("定时步骤失败"), "bad"),
    "timer:rescheduled": (_l("期限重新计算"), "warned"),
    "definition:deployed": (_l("部署流程"), ""),
    "definition:published": (_l("发布流程"), "good"),
    "definition:withdrawn": (_l("停用流程版本"), "warned"),
    "rerun:started": (_l("开始重算以往的决定"), ""),
    "rerun:ended": (_l("重算结束"), "good"),
    "rerun:cancelled": (_l("取消重算"), "warned"),
    "parameter:set": (_l("修改参数"), ""),
    "county:imported": (_l("导入全县资料"), ""),
    "unit:added": (_l("新增单位"), ""),
    "unit:closed": (_l("撤销单位"), "warned"),
    "unit:merged": (_l("合并单位"), "warned"),
    "person:added": (_l("新增人员"), ""),
    "person:changed": (_l("人员变动"), ""),
    "account:created": (_l("开通账号"), ""),
    "account:changed": (_l("账号变动"), ""),
    "account:blocked": (_l("账号因多次输错密码被暂停"), "bad"),
    "password:changed": (_l("修改密码"), ""),
    "session:opened": (_l("登录"), "quiet"),
    "session:closed": (_l("退出"), "quiet"),
    "session:revoked": (_l("登录被结束"), "warned"),
    "client:registered": (_l("登记服务对象"), "good"),
    "client:updated": (_l("更新服务对象资料"), ""),
    "client:moved": (_l("服务对象迁移"), ""),
    "client:viewed": (_l("查看服务对象资料"), "quiet"),
    "client:erased": (_l("按规定清除服务对象资料"), "bad"),
    "party:registered": (_l("登记当事人"), ""),
    "party:erased": (_l("按规定清除当事人资料"), "bad"),
    "instance:party_erased": (_l("按规定清除一名当事人的资料"), "bad"),
    "document:viewed": (_l("查看文书"), ""),
    "document:printed": (_l("打印文书"), ""),
    "household:registered": (_l("登记家庭"), ""),
    "household:moved": (_l("家庭迁移"), ""),
    "household:erased": (_l("按规定清除家庭资料"), "bad"),
    "outing:reported": (_l("报备外出"), ""),
    "outing:left": (_l("出发"), ""),
    "outing:extended": (_l("推迟返回"), "warned"),
    "outing:returned": (_l("安全返回"), "good"),
    "outing:cancelled": (_l("取消外出"), ""),
    "outing:overdue": (_l("外出超时"), "bad"),
    "waiver:asked": (_l("申请豁免"), "warned"),
    "waiver:granted": (_l("批准豁免"), "good"),
    "waiver:refused": (_l("没有批准豁免"), "bad"),
    "waiver:withdrawn": (_l("撤回豁免申请"), "quiet"),
    "waiver:revoked": (_l("撤销豁免"), "warned"),
    "alert:raised": (_l("发出提醒"), "warned"),
    "alert:overdue": (_l("提醒逾期未处理"), "bad"),
    "alert:acknowledged": (_l("提醒已处理"), "good"),
    "register:added": (_l("登记"), ""),
    "register:changed": (_l("更正登记"), ""),
    "register:ended": (_l("注销登记"), "warned"),
    "register:imported": (_l("导入登记"), ""),
    "register:moved": (_l("登记随人迁移"), "quiet"),
    "register:lapses": (_l("登记到期核对"), "warned"),
    "handover:begun": (_l("开始移交"), ""),
    "handover:done": (_l("移交完毕"), "good"),
    "absence:begun": (_l("请假开始，移交任务"), ""),
    "absence:over": (_l("请假结束，交还任务"), ""),
    "handover:prolonged": (_l("移交改期"), ""),
    "handover:ended": (_l("开始交还"), ""),
    "handover:returned": (_l("交还完毕"), "good"),
    "backup:restored": (_l("从备份恢复"), "warned"),
    "timer:started": (_l("按时发起个案"), ""),
    "timer:start_failed": (_l("按时发起没有成功，推迟再试"), "bad"),
    "calendar:recounted": (_l("期限按新日历重新计算"), ""),
    "calendar:imported": (_l("导入日历"), ""),
    "element:entered": (_l("到达"), "quiet"),
    "element:completed": (_l("经过"), "quiet"),
    "element:cancelled": (_l("取消"), "warned"),
    "flow:taken": (_l("走向下一步"), "quiet"),
    "gateway:decided": (_l("分支判断"), ""),
    "join:waiting": (_l("等待其他分支"), "quiet"),
    "join:fired": (_l("分支汇合"), "quiet"),
    "loop:started": (_l("开始重复"), "quiet"),
    "loop:decided": (_l("判断是否再来一次"), "quiet"),
    "decision:evaluated": (_l("决策表得出结果"), ""),
    "script:evaluated": (_l("计算结果"), "quiet"),
    "variable:set": (_l("记录数据"), "quiet"),
    "timer:set": (_l("设定期限"), "quiet"),
    "timer:fired": (_l("定时触发"), "warned"),
    "timer:cancelled": (_l("期限取消"), "quiet"),
    "timer:moved": (_l("期限变更"), "quiet"),
    "wait:opened": (_l("等待办理"), ""),
    "wait:completed": (_l("填写内容"), "quiet"),
    "wait:cancelled": (_l("任务撤销"), "warned"),
    "wait:moved": (_l("任务期限变更"), "quiet"),
    "message:awaited": (_l("等待消息"), "quiet"),
    "message:caught": (_l("收到等待的消息"), "good"),
    "message:sent": (_l("发出消息"), ""),
    "signal:awaited": (_l("等待信号"), "quiet"),
    "signal:caught": (_l("收到信号"), "good"),
    "signal:sent": (_l("发出信号"), ""),
    "condition:awaited": (_l("等待条件成立"), "quiet"),
    "condition:met": (_l("条件成立"), "good"),
    "wait:over": (_l("不再等待"), "quiet"),
    "error:thrown": (_l("报出错误"), "bad"),
    "error:caught": (_l("转入错误处理"), "warned"),
    "escalation:thrown": (_l("提请升级"), "warned"),
    "escalation:caught": (_l("转入升级处理"), "warned"),
    "link:followed": (_l("经链接继续"), "quiet"),
    "job:created": (_l("交给程序办理"), ""),
    "job:completed": (_l("程序办完"), "good"),
    "job:failed": (_l("程序没有办成"), "bad"),
    "job:cancelled": (_l("作业撤销"), "warned"),
    "call:started": (_l("调用流程"), ""),
    "call:completed": (_l("下级个案办结"), "good"),
    "call:cancelled": (_l("调用撤销"), "warned"),
    "instances:started": (_l("开始逐项办理"), "quiet"),
    "instances:decided": (_l("判断是否提前结束"), "quiet"),
    "instances:completed": (_l("逐项办理结束"), "quiet"),
    "instances:cancelled": (_l("逐项办理取消"), "warned"),
    "loop:completed": (_l("重复结束"), "quiet"),
    "loop:cancelled": (_l("重复取消"), "warned"),
    "token:moved": (_l("离开环节"), "quiet"),
    "variable:corrected": (_l("更正后的数据"), "quiet"),
    "case:failed": (_l("因错误结束"), "bad"),
    "incident:raised": (_l("出现故障"), "bad"),
    "incident:resolved": (_l("故障已排除"), "good"),
    "case:started": (_l("流程开始"), "quiet"),
    "case:completed": (_l("流程结束"), "good"),
    "case:cancelled": (_l("流程终止"), "bad"),
}
SOON = timedelta(hours=24)


@dataclass(frozen=True)
class Item:
    """One entry of the navigation."""

    endpoint: str
    text: object
    short: object
    icon: str
    permission: str | None
    group: str | tuple[str, ...]

    @property
    def address(self) -> str:
        """Where it leads."""
        return url_for(self.endpoint)

    @property
    def is_current(self) -> bool:
        """Whether the page shown belongs to it."""
        return (request.endpoint or "").startswith(self.group)


NAVIGATION = [
    Item("inbox.index", _l("我的任务"), _l("任务"), "inbox", "task:read", "inbox."),
    Item("cases.index", _l("个案"), _l("个案"), "case", "instance:read", "cases."),
    Item("clients.index", _l("服务对象"), _l("对象"), "people", "client:read", "clients."),
    Item("county.home", _l("全县概览"), _l("全县"), "county", None, "county.home"),
    Item("outings.index", _l("外出报备"), _l("外出"), "walk", "outing:write", "outings."),
    Item("waivers.index", _l("豁免"), _l("豁免"), "pass", "waiver:read", "waivers."),
    Item("registers.index", _l("登记"), _l("登记"), "book", "register:own", "registers."),
    Item("county.people", _l("机构与人员"), _l("人员"), "person", "organisation:read", "county.people"),
    Item("dispatch.index", _l("调度"), _l("调度"), "send", "task:dispatch", "dispatch."),
    Item("operations.index", _l("运行"), _l("运行"), "pulse", "instance:operate", "operations."),
    Item("definitions.index", _l("流程"), _l("流程"), "flow", "definition:read", ("definitions.", "reruns.")),
    Item("regulations.index", _l("制度"), _l("制度"), "rules", "definition:read", "regulations."),
    Item("settings.calendar", _l("工作日历"), _l("日历"), "calendar", "calendar:write", "settings.calendar"),
    Item("settings.parameters", _l("参数"), _l("参数"), "table", "parameter:write", "settings.parameters"),
    Item("audit.index", _l("审计"), _l("审计"), "shield", "audit:verify", "audit."),
]


def register(app) -> None:
    """Filters and the navigation for templates."""
    app.jinja_env.filters |= {"status": status, "role": role, "event": event_name, "urgency": urgency, "iso": iso}
    app.jinja_env.filters |= {"waiver_status": lambda code: str(WAIVER_STATUSES[code])}
    app.jinja_env.filters |= {"station_role": station_role, "place": place_name, "fact": fact, "kept_because": kept_because}
    app.jinja_env.globals |= {"navigation": navigation, "units": UNITS}


def navigation() -> list[Item]:
    """What this actor may open."""
    actor = g.get("actor")
    return [item for item in NAVIGATION if item.permission is None or (actor and may(actor, item.permission))]


def status(code: str) -> str:
    """A status in the reader's language."""
    return str(STATUSES.get(str(code), code))


def role(code: str | None) -> str:
    """A role, workforce type or partner kind in the reader's language."""
    return str(ROLES.get(code or "", code or ""))


def event_name(kind: str) -> str:
    """What happened."""
    return str(EVENTS.get(kind, (kind, ""))[0])


def station_role(actor: Actor) -> str:
    """`拳铺镇社工站 · 专职社工`."""
    kind = f"partner:{actor.partner}" if actor.partner else actor.workforce
    leading = next((each for each in ("supervisor", "lead", "auditor", "admin", "resident", "program") if each in actor.roles), None)
    return " · ".join(filter(None, [place_name(actor.unit_path), role(leading or kind or "worker")]))


def place_name(path: str | None) -> str:
    """The name of a place by its path."""
    from webapp.places import places

    return places().name(path)


def urgency(at) -> str:
    """`late` past the moment, `soon` in the last day before it, else empty."""
    due = as_instant(at)
    if due is None:
        return ""
    return "late" if due < now() else "soon" if due - now() <= SOON else ""


def iso(at) -> str:
    """For `<time datetime>`."""
    return at.isoformat() if isinstance(at, datetime) else str(at or "")


def kept_because(code: str | None) -> str:
    """Why a task of a handover stayed where it was, by its code."""
    return str(KEPT.get(code or "", code or ""))


def fact(text: str) -> str:
    """A word that the engine put into a message: a status, a known sentence, a reason why a task is not offered or goes to nobody."""
    if text in STATUSES:
        return status(text)
    for chinese, english in handovers.WHY.values():
        if text == chinese:
            return chinese if in_chinese() else english
    for chinese, english in assignment.REFUSALS.values():
        before, _, after = chinese.partition("{workforce}")
        if text.startswith(before) and text.endswith(after) and len(text) >= len(before) + len(after):
            kinds = text[len(before) : len(text) - len(after)]
            named = ("、" if in_chinese() else ", ").join(role(kind) for kind in kinds.split("、"))
            return (chinese if in_chinese() else english).format(workforce=named)
    return gettext(text)
