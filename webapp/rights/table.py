"""The table itself: endpoint → right. A new route gets a line here, or nobody reaches it."""

from dataclasses import dataclass
from enum import StrEnum


class Reach(StrEnum):
    """How far a right reaches; the value is what docs/rights.md says of it."""

    PUBLIC = "不需要登录 · no sign-in"
    SIGNED_IN = "登录即可，只涉及本人 · whoever is signed in, about oneself"
    COUNTY = "全县共用的内容 · what the whole county shares"
    LIST = "清单里只有本人看得到的对象 · a list of what one may see"
    PLACE = "本人所在单位及下级的对象 · objects of one's own unit and below"
    CASE = "同上，志愿者和联动伙伴只到自己持有任务的个案 · likewise; volunteers and partners by a task they hold"
    OUTING = "本人参加的外出；站长和督导还有所管单位的 · outings one takes part in; leads and supervisors those of their place"
    WAIVER = "本人申请的，或为本人申请的豁免 · waivers one asked for, or that were asked for one"
    OWN = "本人的登记；站长、督导等还有所管单位的 · one's own entries; whoever keeps or reads the register those of their place"
    TASK = "提供给本人、本人持有或由本人统筹的任务 · tasks offered to, held by, or overseen by the person"


@dataclass(frozen=True)
class Right:
    """What a route needs: a key of `permissions.PERMISSIONS` (None: just to be signed in, or nothing at all), and how far it reaches.

    `beyond`: the permission without which it reaches only what is one's own.
    """

    permission: str | None
    reach: Reach = Reach.COUNTY
    beyond: str | None = None


PUBLIC = Right(None, Reach.PUBLIC)
SIGNED_IN = Right(None, Reach.SIGNED_IN)


def _list(permission: str) -> Right:
    return Right(permission, Reach.LIST)


def _place(permission: str) -> Right:
    return Right(permission, Reach.PLACE)


def _case(permission: str) -> Right:
    return Right(permission, Reach.CASE)


def _task(permission: str) -> Right:
    return Right(permission, Reach.TASK)


def _outing(permission: str) -> Right:
    return Right(permission, Reach.OUTING)


def _waiver(permission: str) -> Right:
    return Right(permission, Reach.WAIVER)
def _own(beyond: str, reach: Reach = Reach.OWN) -> Right:
    return Right("register:own", reach, beyond)


RIGHTS: dict[str, Right] = {
    # for everybody: signing in, the language, files of the pages, the state of the server, the description of the API
    "account.enter": PUBLIC,
    "account.check": PUBLIC,
    "account.check_again": PUBLIC,
    "account.leave": PUBLIC,
    "account.language": PUBLIC,
    "static": PUBLIC,
    "health.live": PUBLIC,
    "health.ready": PUBLIC,
    "health.metrics": PUBLIC,
    "api-docs.openapi_json": PUBLIC,
    "tokens-api.sign_in": PUBLIC,
    # oneself
    "account.password": SIGNED_IN,
    "county.home": SIGNED_IN,
    "county.start": SIGNED_IN,
    "tokens-api.me": SIGNED_IN,
    "tokens-api.sign_out": SIGNED_IN,
    "account.sessions_own": SIGNED_IN,
    "account.sessions_end": SIGNED_IN,
    "sessions-api.own": SIGNED_IN,
    "sessions-api.end": SIGNED_IN,
    "sessions-api.end_others": SIGNED_IN,
    # tasks
    "inbox.index": _list("task:read"),
    "inbox.task": _task("task:read"),
    "inbox.claim": _task("task:claim"),
    "inbox.release": _task("task:release"),
    "inbox.delegate": _task("task:delegate"),
    "inbox.complete": _task("task:complete"),
    "tasks-api.index": _list("task:read"),
    "tasks-api.detail": _task("task:read"),
    "tasks-api.claim": _task("task:claim"),
    "tasks-api.release": _task("task:release"),
    "tasks-api.delegate": _task("task:delegate"),
    "tasks-api.complete": _task("task:complete"),
    # dispatching
    "dispatch.index": _list("task:dispatch"),
    "dispatch.task": _task("task:dispatch"),
    "dispatch.send": _task("task:dispatch"),
    "dispatch.preview": _list("task:dispatch"),
    "dispatch.reassign": _list("task:dispatch"),
    "dispatch.absences": _list("task:dispatch"),
    "dispatch.absence": _place("task:dispatch"),
    "dispatch.hand_over": _place("task:dispatch"),
    "dispatch.handover": _place("task:dispatch"),
    "dispatch.carry_on": _place("task:dispatch"),
    "dispatch.take_back": _place("task:dispatch"),
    "dispatch-api.index": _list("task:dispatch"),
    "dispatch-api.ranked": _task("task:dispatch"),
    "dispatch-api.dispatch": _task("task:dispatch"),
    "dispatch-api.preview_absence": _place("task:dispatch"),
    "dispatch-api.hand_over": _place("task:dispatch"),
    "dispatch-api.handed": _list("task:dispatch"),
    "dispatch-api.handover": _place("task:dispatch"),
    "dispatch-api.carry_on": _place("task:dispatch"),
    "dispatch-api.take_back": _place("task:dispatch"),
    "dispatch-api.preview_reassignment": _list("task:dispatch"),
    "dispatch-api.reassign": _list("task:dispatch"),
    # cases
    "cases.index": _list("instance:read"),
    "cases.new": _place("instance:start"),
    "cases.case": _case("instance:read"),
    "cases.diagram": _case("instance:read"),
    "documents.index": _case("instance:read"),
    "documents.document": _task("task:read"),
    "documents.printed": _task("task:read"),
    "documents.erase": _place("client:erase"),
    "cases.report": _place("instance:start"),
    "inbox.report": _task("task:complete"),
    "cases.cancel": _place("instance:cancel"),
    "cases.retry": _place("incident:retry"),
    "instances-api.index": _list("instance:read"),
    "instances-api.start": _place("instance:start"),
    "instances-api.detail": _case("instance:read"),
    "instances-api.history": _case("instance:history"),
    "instances-api.cancel": _place("instance:cancel"),
    "instances-api.retry": _place("incident:retry"),
    # messages, and work for programs
    "messages-api.publish": Right("message:publish"),
    "messages-api.send": Right("message:publish"),
    "jobs-api.activate": Right("job:work"),
    "jobs-api.complete": Right("job:work"),
    "jobs-api.fail": Right("job:work"),
    "jobs-api.throw_error": Right("job:work"),
    # operating
    "operations.index": _list("instance:operate"),
    "operations.retry": _place("incident:retry"),
    "operations.deliver": _place("instance:operate"),
    "cases.move": _place("instance:operate"),
    "cases.correct": _place("instance:operate"),
    "operations-api.incidents": _list("incident:retry"),
    "operations-api.incidents_1": _list("incident:retry"),
    "operations-api.timers": _list("instance:operate"),
    "operations-api.waits": _list("instance:operate"),
    "operations-api.jobs": _list("instance:operate"),
    "operations-api.deliveries": _list("instance:operate"),
    "operations-api.retry": _place("instance:operate"),
    "operations-api.move": _place("instance:operate"),
    "operations-api.correct": _place("instance:operate"),
    # people served
    "clients.index": _list("client:read"),
    "clients.client": _place("client:read"),
    "clients.open_with_reason": _place("client:read"),
    "clients.emergency": Right("client:read"),
    "clients.register": _place("client:write"),
    "clients.edit": _place("client:write"),
    "clients-api.index": _list("client:read"),
    "clients-api.detail": _place("client:read"),
    "clients-api.register": _place("client:write"),
    # going out, and what the regulations say must be done
    "outings.index": _list("outing:write"),
    "outings.new": _list("outing:write"),
    "outings.leave": _outing("outing:write"),
    "outings.extend": _outing("outing:write"),
    "outings.come_back": _outing("outing:write"),
    "outings.cancel": _outing("outing:write"),
    "outings.acknowledge": _place("alert:acknowledge"),
    "outings-api.index": _list("outing:write"),
    "outings-api.report": _list("outing:write"),
    "outings-api.leave": _outing("outing:write"),
    "outings-api.extend": _outing("outing:write"),
    "outings-api.come_back": _outing("outing:write"),
    "outings-api.cancel": _outing("outing:write"),
    "outings-api.waiting": _list("alert:acknowledge"),
    "outings-api.acknowledge": _place("alert:acknowledge"),
    # waivers, and why somebody cannot take a task
    "waivers.index": _list("waiver:read"),
    "waivers.export": _list("waiver:read"),
    "waivers.waiting": _list("waiver:decide"),
    "waivers.new": _task("waiver:ask"),
    "waivers.grant": _place("waiver:decide"),
    "waivers.refuse": _place("waiver:decide"),
    "waivers.revoke": _place("waiver:decide"),
    "waivers.withdraw": _waiver("waiver:ask"),
    "waivers.explanation": _task("task:read"),
    "waivers-api.index": _list("waiver:read"),
    "waivers-api.counts": _list("waiver:read"),
    "waivers-api.ask": _task("waiver:ask"),
    "waivers-api.grant": _place("waiver:decide"),
    "waivers-api.refuse": _place("waiver:decide"),
    "waivers-api.revoke": _place("waiver:decide"),
    "waivers-api.withdraw": _waiver("waiver:ask"),
    "waivers-api.explanation": _task("task:read"),
    # registers; which of them are open to whom: engine.registers.rights
    "registers.index": _list("register:own"),
    "registers.mine": _list("register:own"),
    "registers.all_entries": _list("register:own"),
    "registers.register": _list("register:own"),
    "registers.export": _list("register:own"),
    "registers.subject": _own("register:read"),
    "registers.entry": _own("register:read"),
    "registers.new": _own("register:write", Reach.LIST),
    "registers.change": _own("register:write"),
    "registers.end": _own("register:write"),
    "registers.import_file": _list("register:write"),
    "registers.vacancies": _list("register:read"),
    "registers-api.index": _list("register:own"),
    "registers-api.vacancies": _list("register:read"),
    "registers-api.entries_of": _list("register:own"),
    "registers-api.add": _own("register:write", Reach.LIST),
    "registers-api.import_csv": _list("register:write"),
    "registers-api.entry": _own("register:read"),
    "registers-api.change": _own("register:write"),
    "registers-api.end": _own("register:write"),
    # procedures and regulations
    "definitions.index": Right("definition:read"),
    "definitions.version": Right("definition:read"),
    "definitions.diagram": Right("definition:read"),
    "definitions.file": Right("definition:read"),
    "definitions.deploy": Right("definition:deploy"),
    "definitions.publish": Right("definition:publish"),
    "definitions.withdraw": Right("definition:publish"),
    "definitions-api.index": Right("definition:read"),
    "definitions-api.deploy": Right("definition:deploy"),
    "definitions-api.publish": Right("definition:publish"),
    "definitions-api.withdraw": Right("definition:publish"),
    "reruns.version": Right("rerun:read"),
    "reruns.start": Right("rerun:start"),
    "reruns.rerun": Right("rerun:read"),
    "reruns.cancel": Right("rerun:start"),
    "reruns-api.start": Right("rerun:start"),
    "reruns-api.detail": Right("rerun:read"),
    "reruns-api.cancel": Right("rerun:start"),
    "regulations.index": Right("definition:read"),
    "regulations.regulation": Right("definition:read"),
    # the county, its people and their accounts
    "county.unit": Right("organisation:read"),
    "county.people": Right("organisation:read"),
    "county.people_new": Right("organisation:write"),
    "county.people_person": _place("account:manage"),
    "county.people_account": _place("account:manage"),
    "county.people_password": _place("account:manage"),
    "county.people_roles": _place("account:manage"),
    "county.people_closed": _place("account:manage"),
    "account.sessions_theirs": _place("account:manage"),
    "account.sessions_end_theirs": _place("account:manage"),
    "sessions-api.theirs": _place("account:manage"),
    "sessions-api.end_theirs": _place("account:manage"),
    "sessions-api.end_all_theirs": _place("account:manage"),
    # settings
    "settings.calendar": Right("calendar:write"),
    "settings.import_calendar": Right("calendar:write"),
    "settings.parameters": Right("parameter:write"),
    "settings.set_parameter": Right("parameter:write"),
    # the auditor
    "audit.index": Right("audit:verify"),
    "audit.verify": Right("audit:verify"),
    "audit.access": Right("audit:read"),
}
