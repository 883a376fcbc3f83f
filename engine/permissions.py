"""The one table of permissions (default: deny): what each role and workforce type may do.

Rows are roles and workforce types; a person may what any of their rows allows, and nothing else. Within a permission the place still
counts: everybody sees only what their own unit covers, and a task only who may take it (engine.assignment).
"""

from engine.exceptions import Forbidden
from engine.organisation import Actor, covers

PERMISSION_NAMES = {
    "definition:read": "查看流程",
    "definition:deploy": "部署流程",
    "definition:publish": "发布流程",
    "instance:start": "发起个案",
    "instance:read": "查看个案",
    "instance:cancel": "终止个案",
    "instance:history": "查看个案经过",
    "task:read": "查看任务",
    "task:claim": "领取任务",
    "task:complete": "办结任务",
    "task:delegate": "转派任务",
    "task:release": "退回任务",
    "task:dispatch": "调度任务",
    "client:read": "查看服务对象",
    "client:write": "登记服务对象",
    "client:erase": "按规定清除服务对象的资料",
    "incident:retry": "重试故障",
    "calendar:write": "导入日历",
    "parameter:write": "修改参数",
    "rerun:start": "重算以往的决定",
    "rerun:read": "查看重算的结果",
    "account:manage": "管理账号",
    "organisation:read": "查看机构和人员",
    "organisation:write": "调整机构和人员",
    "audit:verify": "核验历史",
    "audit:read": "查阅审计记录",
    "message:publish": "发送消息和信号",
    "job:work": "领取和办理作业",
    "instance:operate": "处理运行中的个案",
    "outing:write": "报备外出",
    "outing:read": "查看外出人员",
    "alert:acknowledge": "处理提醒和警报",
    "register:own": "查看和填报本人的登记",
    "register:read": "查看登记",
    "register:watch": "查看值守、操守和诉求类登记",
    "register:write": "填写和导入登记",
    "waiver:read": "查看豁免",
    "waiver:ask": "申请豁免",
    "waiver:decide": "批准、驳回和撤销豁免",
    "system:work": "由系统自动处理",
}

_TASKS = {"task:read", "task:claim", "task:complete", "task:release", "outing:write", "register:own", "waiver:ask", "waiver:read"}
_WATCH = {"outing:read", "alert:acknowledge", "waiver:decide"}  # over who is out, and over what a regulation stopped
_REGISTERS = {"register:read", "register:watch", "register:write"}  # of one's place; see engine.registers.rights
_CASES = {"definition:read", "instance:read", "instance:history", "organisation:read"}
_STATION = _TASKS | _CASES | {"instance:start", "client:read", "client:write"}

PERMISSIONS: dict[str, frozenset[str]] = {
    # roles
    "supervisor": frozenset(
        _STATION
        | {"definition:deploy", "definition:publish", "instance:cancel", "task:delegate", "task:dispatch", "incident:retry", "parameter:write"}
        | {"client:erase", "audit:verify", "message:publish", "instance:operate", "rerun:start", "rerun:read"}
        | _WATCH
        | _REGISTERS
    ),
    "lead": frozenset(
        _STATION
        | _WATCH
        | _REGISTERS
        | {"instance:cancel", "task:delegate", "task:dispatch", "account:manage", "message:publish", "instance:operate", "incident:retry"}
    ),
    "worker": frozenset(_TASKS | _CASES),
    "auditor": frozenset(
        _CASES
        | {"task:read", "client:read", "audit:verify", "audit:read", "waiver:read", "rerun:read"}
        | {"register:own", "register:read", "register:watch"}
    ),
    # An admin keeps the installation and sees no case: the data of people served is none of an admin's business (PIPL 6, need to know).
    "admin": frozenset(
        {"definition:read", "organisation:read", "organisation:write", "account:manage", "calendar:write", "incident:retry"}
        | {"audit:verify"}
        | {"register:own", "register:read", "register:write"}  # of posts and papers; none that tells of conduct or of people served
    ),
    "resident": frozenset(),
    # A program that does jobs or reports what happened elsewhere; it is told the data of its jobs and reads nothing else.
    "program": frozenset({"message:publish", "job:work"}),
    # workforce types add to `worker`; volunteers and partners see a client only through a task they hold
    "full_time": frozenset(_STATION | {"task:delegate"}),
    "part_time": frozenset(_STATION),
    "assistant": frozenset(_STATION),
    "volunteer": frozenset(),
    "partner": frozenset(),
    # the worker process, the seed, the command line
    "system": frozenset(PERMISSION_NAMES),
}


def may(actor: Actor, permission: str) -> bool:
    """Whether the table grants it. An unknown permission or role grants nothing."""
    rows = actor.roles | {actor.workforce} if actor.workforce else actor.roles
    return any(permission in PERMISSIONS.get(row, ()) for row in rows)


def require(actor: Actor, permission: str, place_path: str | None = None) -> None:
    """Raises Forbidden unless granted, and, where a place is given, unless the actor's unit covers it."""
    if not may(actor, permission) or not (place_path is None or covers(actor.unit_path, place_path)):
        raise Forbidden(permission=PERMISSION_NAMES.get(permission, permission), unit=actor.unit_key)
