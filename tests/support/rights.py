"""Everything that rights are tried on: a case, task, client and person of the own station and of another, and how each route and command
is called on them with valid input. A new route without a line in `BODIES` is called with an empty body; a new parameter of an address gets
a line in `World.names`."""

import io
import re
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from engine import accounts, audit, waivers as waivers_of
from engine.audit import Event, Kind
from engine.calendar import chinese_year
from engine.commands import accounts as opening, clients, handing, instances, organisation, outings, registers, tasks, waivers
from engine.commands.clock import look_at_outing
from engine.exceptions import EngineError, NotFound, WaiverKnown
from engine.organisation import Actor
from engine.permissions import may
from engine.registers.alerts import Alert
from engine.registers.entries import RegisterEntry
from tests.support.county import PASSWORD
from tests.support.web import Site, forms
from tests.support.writes import COUNT

USERNAMES = {
    "supervisor": "supervisor",
    "lead": "lead-01",
    "full_time": "ft-01-1",
    "part_time": "pt-01-1",
    "assistant": "assistant-001",
    "volunteer": "volunteer-01-1",
    "partner": "partner-01-mediator",
    "auditor": "auditor",
    "admin": "admin",
    "resident": "resident-1",
    "program": "program-1",
    "nobody": None,
}
EVERYBODY = "supervisor,lead,worker,auditor,admin,resident,program"  # groups: so that nothing but right and place decides
DIAGRAM = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'id="d" targetNamespace="t"><process id="{key}" name="{key}" isExecutable="true">'
    '<startEvent id="s"><outgoing>a</outgoing></startEvent><sequenceFlow id="a" sourceRef="s" targetRef="t"/>'
    '<userTask id="t" name="t"><extensionElements><zeebe:userTask/><zeebe:assignmentDefinition candidateGroups="{groups}"/>'
    "</extensionElements><incoming>a</incoming><outgoing>b</outgoing></userTask>"
    '<sequenceFlow id="b" sourceRef="t" targetRef="e"/><endEvent id="e"><incoming>b</incoming></endEvent></process></definitions>'
)
ABSENCE = {"from": "2026-03-03", "to": "2026-03-04", "kind": "leave"}
BADGE = {"issued_on": "2026-01-01", "valid_until": "2026-12-31"}
SPARE = DIAGRAM.format(key="spare", groups=EVERYBODY).encode()
CARRIED = '{"fields": [], "files": []}'  # a form without fields, as webapp.account carries it over signing in


@dataclass
class Place:
    """One station's objects, by what addresses call them."""

    room: str
    station: str
    case: str
    task: str
    client: str
    household: str
    person: str
    colleague: str
    holder: str
    session: str
    outing: str
    alert: str
    waiver: str
    entry: str
    handover: str


RULE = "gate.visit"  # by which everybody who takes tasks was refused, and which a lead may waive

# Endpoint → the body of a valid request, of `(world, place)`. Options of the test client: `data` is a form, `json` a program's body.
BODIES = {
    "account.check": lambda world, place: {"data": {"username": "ft-01-2", "password": PASSWORD}},
    "account.check_again": lambda world, place: {"data": {"username": "ft-01-2", "password": PASSWORD, "address": "/", "carried": CARRIED}},
    "account.sessions_end": lambda world, place: {"data": {"session": ""}},
    "account.sessions_end_theirs": lambda world, place: {"data": {"session": place.session}},
    "account.password": lambda world, place: {"data": {"old": "not this one", "new": "another horse"}},
    "tokens-api.sign_in": lambda world, place: {"json": {"username": "ft-01-2", "password": PASSWORD}},
    "cases.new": lambda world, place: {"data": {"definition": "everybody", "place": place.room}},
    "cases.move": lambda world, place: {"data": {"where": "1/", "reason": "核对"}},
    "cases.correct": lambda world, place: {"data": {"name": "x", "value": "1", "reason": "核对"}},
    "cases.cancel": lambda world, place: {"data": {"reason": "迁出"}},
    "documents.erase": lambda world, place: {"data": {"reason": "本人申请"}},
    "instances-api.start": lambda world, place: {"json": {"definition": "everybody", "place": place.room}},
    "instances-api.cancel": lambda world, place: {"json": {"reason": "迁出"}},
    "messages-api.publish": lambda world, place: {"json": {"name": "paid"}},
    "messages-api.send": lambda world, place: {"json": {"name": "paid"}},
    "operations-api.move": lambda world, place: {"json": {"reason": "核对"}},
    "operations-api.correct": lambda world, place: {"json": {"reason": "核对", "variables": {"x": 1}}},
    "jobs-api.activate": lambda world, place: {"json": {"type": "paper", "worker": "w"}},
    "jobs-api.complete": lambda world, place: {"json": {"worker": "w"}},
    "jobs-api.fail": lambda world, place: {"json": {"worker": "w", "message": "offline"}},
    "jobs-api.throw_error": lambda world, place: {"json": {"worker": "w", "code": "none"}},
    "inbox.delegate": lambda world, place: {"data": {"to": place.colleague}},
    "tasks-api.delegate": lambda world, place: {"json": {"to": place.colleague}},
    "dispatch.send": lambda world, place: {"data": {"to": place.colleague, "reason": "缺人"}},
    "dispatch.preview": lambda world, place: {"data": {"tasks": place.task}},
    "dispatch.reassign": lambda world, place: {"data": {"tasks": place.task, "reason": "缺人"}},
    "dispatch.hand_over": lambda world, place: {"data": {"person": place.person}},
    "dispatch-api.dispatch": lambda world, place: {"json": {"to": place.colleague, "reason": "缺人"}},
    "dispatch-api.hand_over": lambda world, place: {"json": {"person": place.person}},
    "dispatch-api.preview_reassignment": lambda world, place: {"json": {"tasks": [place.task]}},
    "dispatch-api.reassign": lambda world, place: {"json": {"tasks": [place.task], "reason": "缺人"}},
    "tasks-api.complete": lambda world, place: {"json": {"data": {}}},
    "clients.register": lambda world, place: {"data": {"name": "李四", "place": place.room}},
    "clients.emergency": lambda world, place: {"data": {"who": "欧阳唯一", "reason": "走失"}},
    "clients.open_with_reason": lambda world, place: {"data": {"reason": "评估"}},
    "clients.edit": lambda world, place: {"data": {"name": "李四", "version": "1"}},
    "clients-api.register": lambda world, place: {"json": {"place": place.room, "data": {"name": "李四"}}},
    "outings.new": lambda world, place: {"data": world.trip()},
    "outings.extend": lambda world, place: {"data": {"minutes": "60"}},
    "outings.acknowledge": lambda world, place: {"data": {"note": "已联系上"}},
    "outings-api.report": lambda world, place: {"json": world.trip()},
    "outings-api.extend": lambda world, place: {"json": {"expected_return": world.trip()["expected_return"]}},
    "outings-api.acknowledge": lambda world, place: {"json": {"note": "已联系上"}},
    "waivers.new": lambda world, place: {"data": {"rule": RULE, "task": place.task, "reason": "对象要求"}},
    "waivers.grant": lambda world, place: {"data": {"reason": "同意"}},
    "waivers.refuse": lambda world, place: {"data": {"reason": "不同意"}},
    "waivers.revoke": lambda world, place: {"data": {"reason": "情况有变"}},
    "waivers-api.ask": lambda world, place: {"json": {"rule": RULE, "task": place.task, "reason": "对象要求"}},
    "waivers-api.grant": lambda world, place: {"json": {"reason": "同意"}},
    "waivers-api.refuse": lambda world, place: {"json": {"reason": "不同意"}},
    "waivers-api.revoke": lambda world, place: {"json": {"reason": "情况有变"}},
    "registers.new": lambda world, place: {"data": {"whom": place.colleague, "number": "G", **BADGE}},
    "registers.change": lambda world, place: {"data": {"number": "G2", "version": "1", **BADGE}},
    "registers.end": lambda world, place: {"data": {"reason": "登记有误"}},
    "registers.import_file": lambda world, place: {"data": {"text": f"人员,证号,发证日期,有效期至\n{place.colleague},G9,2026-01-01,2026-12-31"}},
    "registers-api.add": lambda world, place: {"json": {"whom": place.colleague, "values": {"number": "G", **BADGE}}},
    "registers-api.change": lambda world, place: {"json": {"values": {"number": "G2"}}},
    "registers-api.end": lambda world, place: {"json": {"reason": "登记有误"}},
    "registers-api.import_csv": lambda world, place: {
        "data": {"file": (io.BytesIO(f"人员,证号,发证日期,有效期至\n{place.colleague},G9,2026-01-01,2026-12-31".encode()), "badges.csv")}
    },
    "county.people_new": lambda world, place: {"data": {"name": "吴新来", "unit": "station-01", "workforce": "full_time"}},
    "county.people_account": lambda world, place: {"data": {"username": "wu", "password": "a new horse", "roles": "worker"}},
    "county.people_password": lambda world, place: {"data": {"password": PASSWORD}},
    "county.people_roles": lambda world, place: {"data": {"roles": "worker"}},
    "county.people_closed": lambda world, place: {"data": {"closed": "0"}},
    "definitions.deploy": lambda world, place: {"data": {"files": (io.BytesIO(SPARE), "spare.bpmn")}, "content_type": "multipart/form-data"},
    "definitions-api.deploy": lambda world, place: {"data": {"files": (io.BytesIO(SPARE), "spare.bpmn")}},
    "settings.import_calendar": lambda world, place: {"data": {"year": "2024"}},
    "settings.set_parameter": lambda world, place: {"data": {"key": world.parameter, "value": "7"}},
}
# Routes whose task must be held for the request to be valid.
HELD = {"inbox.release", "inbox.complete", "tasks-api.release", "tasks-api.complete", "task:release", "task:complete"}
# Routes after which the caller has to sign in again.
LEAVING = {"account.leave", "tokens-api.sign_out", "account.sessions_end", "sessions-api.end", "sessions-api.end_others"}

# Parameters of addresses, and commands, that name what no such county has: whoever is let through is told that it is not there.
UNBUILT = {"rerun_id", "job_id", "delivery_id", "party", "party:erase", "rerun:cancel"}

# Route of a command → its arguments. Commands of the product itself are not for people and need none.
ARGUMENTS = {
    "account:create": lambda world, place: (place.person, "wu", "a new horse", ["worker"]),
    "account:change": lambda world, place: (place.colleague, ["worker"]),
    "session:end": lambda world, place: (world.session_of(USERNAMES[world.asking]),),
    "session:end-others": lambda world, place: ("none of theirs",),
    "session:end-for": lambda world, place: (place.colleague, place.session),
    "account:reset-password": lambda world, place: (place.colleague, PASSWORD),
    "instance:start": lambda world, place: ("everybody", {}, place.room),
    "instance:cancel": lambda world, place: (place.case, "迁出"),
    "instance:retry": lambda world, place: (place.case,),
    "instance:move": lambda world, place: (place.case, 1, "核对"),
    "instance:correct": lambda world, place: (place.case, "核对", {"x": 1}),
    "task:claim": lambda world, place: (place.task,),
    "task:release": lambda world, place: (place.task,),
    "task:delegate": lambda world, place: (place.task, place.colleague),
    "task:dispatch": lambda world, place: (place.task, place.colleague, "缺人"),
    "handover:begin": lambda world, place: (place.person,),
    "handover:take-back": lambda world, place: (place.handover,),
    "reassignment:begin": lambda world, place: ([place.task], None, "缺人"),
    "task:complete": lambda world, place: (place.task, {}),
    "client:register": lambda world, place: ({"name": "李四"}, place.room),
    "household:register": lambda world, place: ([{"name": "李四"}], place.room),
    "client:update": lambda world, place: (place.client, {"name": "李四"}, 1),
    "client:move": lambda world, place: (place.client, place.room),
    "client:erase": lambda world, place: (place.client, "本人申请"),
    "client:view": lambda world, place: (place.client,),
    "instance:report": lambda world, place: (place.case, "nothing"),
    "task:report": lambda world, place: (place.task, "nothing"),
    "party:erase": lambda world, place: (place.case, "1", "本人申请"),
    "document:view": lambda world, place: (place.task,),
    "document:print": lambda world, place: (place.task,),
    "outing:report": lambda world, place: (world.trip() | {"leaves": False},),
    "outing:leave": lambda world, place: (place.outing,),
    "outing:extend": lambda world, place: (place.outing, world.trip()["expected_return"]),
    "outing:return": lambda world, place: (place.outing,),
    "outing:cancel": lambda world, place: (place.outing,),
    "alert:acknowledge": lambda world, place: (place.alert, "已联系上"),
    "waiver:ask": lambda world, place: (RULE, "对象要求", place.task),
    "waiver:grant": lambda world, place: (place.waiver, "同意"),
    "waiver:refuse": lambda world, place: (place.waiver, "不同意"),
    "waiver:revoke": lambda world, place: (place.waiver, "情况有变"),
    "waiver:withdraw": lambda world, place: (world.own_waiver(world.asking, place),),
    "register:add": lambda world, place: ("absences", "", ABSENCE),
    "register:change": lambda world, place: ("absences", world.absence(), {"to": "2026-03-06"}),
    "register:end": lambda world, place: ("absences", world.absence(), "没有去"),
    "register:import": lambda world, place: ("badges", f"人员,证号,发证日期,有效期至\n{place.colleague},G9,2026-01-01,2026-12-31".encode()),
    "definition:deploy": lambda world, place: ({"spare.bpmn": SPARE},),
    "definition:publish": lambda world, place: ("spare", 1),
    "definition:withdraw": lambda world, place: ("spare", 1),
    "rerun:start": lambda world, place: ("safety", 1),
    "rerun:cancel": lambda world, place: ("1",),
    "parameter:set": lambda world, place: (world.parameter, 7),
    "calendar:import": lambda world, place: (chinese_year(2024),),
    "organisation:add-unit": lambda world, place: ("room", "room-900", "新村", "station-01"),
    "organisation:close-unit": lambda world, place: ("room-003",),
    "organisation:merge-rooms": lambda world, place: (["room-003"], "room-002"),
    "organisation:add-person": lambda world, place: ("吴新来", "station-01", "full_time"),
    "organisation:change-person": lambda world, place: (place.person, {"active": True}),
}


class World:
    """The application over a small county with objects at two stations; `own` and `other` are made anew once something was done to them."""

    def __init__(self, site: Site):
        self.site, self.county, self.system = site, site.county, site.county.system
        self.county.deploy(**{"everybody.bpmn": DIAGRAM.format(key="everybody", groups=EVERYBODY)})
        self.county.deploy(**{"spare.bpmn": SPARE})
        admin, now = self.county.act("admin"), self.county.now
        made = organisation.add_person(self.system, admin, "外部程序", "county", now=now)
        opening.create_account(self.system, admin, made["id"], "program-1", PASSWORD, ["program"], now=now)
        clients.register(self.system, self.county.act("ft-01-1"), {"name": "欧阳唯一"}, "room-001", now=now)
        page = site.visit("supervisor").get("/settings/parameters").text
        self.parameter = re.search(r'name="key" value="(\w+)"', page)[1]
        self._clients: dict[str, tuple] = {}
        self._cases: dict[str, dict] = {}
        self._outings: dict[str, dict] = {}
        self._sessions: dict[str, dict] = {}
        self._entries: dict[str, dict] = {}
        self.asking = "nobody"  # whose turn it is
        self._spare: dict[str, str] = {}  # another session of each person, to be ended

    # --- who asks -----------------------------------------------------------------------------------------------------

    def client_of(self, key: str, api: bool):
        """(test client, headers or form fields that say who it is) of a kind of person, signed in once."""
        who = f"{key} {api}"
        if who not in self._clients:
            username = USERNAMES[key]
            if username:
                self._spare[key] = self.session_of(username)
            if api:
                program = self.site.api(username)
                self._clients[who] = program.client, {"Authorization": f"Bearer {program.token}"} if username else {}
            else:
                visit = self.site.visit(username)
                page = visit.get("/account" if username else "/login").text
                self._clients[who] = visit.client, forms(page, "/logout" if username else "/login")
        return self._clients[who]

    def session_of(self, username: str) -> str:
        """The id of a new session of somebody's."""
        return accounts.digest(opening.sign_in(self.system, username, PASSWORD, now=self.county.now)["token"])

    def leave(self, key: str) -> None:
        """Forget somebody's sessions."""
        for api in (True, False):
            self._clients.pop(f"{key} {api}", None)

    def call(self, key: str, method: str, rule, place: Place):
        """The answer to one request on the objects of a place."""
        api = rule.rule.startswith("/api/")
        client, identity = self.client_of(key, api)
        with self.site.app.test_request_context():
            address = self.site.app.url_map.bind("").build(rule.endpoint, self.names(place, rule, key))
        options = dict(BODIES.get(rule.endpoint, lambda *_: {})(self, place)) if method != "GET" else {}
        if api:
            options["headers"] = identity
            if method in ("POST", "PUT", "PATCH") and "data" not in options:
                options.setdefault("json", {})
        elif method != "GET":
            options["data"] = {"csrf_token": identity["csrf_token"]} | options.get("data", {})
        return client.open(address, method=method, **options)

    # --- what they ask for ----------------------------------------------------------------------------------------------

    def place(self, which: str) -> Place:
        """The objects of `own` (station-01) or `other` (station-02)."""
        number, room = ("01", "room-001") if which == "own" else ("02", "room-004")
        if which not in self._cases:
            self._cases[which] = self._case(number, room)
        if which not in self._outings:
            self._outings[which] = self._outing(number, room)
        if which not in self._sessions:
            self._sessions[which] = {"session": self.session_of(f"ft-{number}-2")}
        if which not in self._entries:
            whom = f"ft-{number}-2"
            made = registers.add(self.system, self.county.act("admin"), "badges", whom, {"number": "G", **BADGE}, now=self.county.now)
            self._entries[which] = {"entry": made["id"]}
        return Place(**self._cases[which], **self._outings[which], **self._sessions[which], **self._entries[which])

    def absence(self) -> str:
        """The id of a new entry about whoever asks; nobody's for who may keep none."""
        if self.asking in ("resident", "program"):
            return "none"
        person = self.county.act(USERNAMES[self.asking])
        registers.fill(self.system, self.county.act("system"), "absences", [(person.person_id, ABSENCE)], now=self.county.now)
        with self.system.database.read() as session:
            query = select(RegisterEntry.id).where(RegisterEntry.subject_id == person.person_id, RegisterEntry.register == "absences")
            return session.scalars(query.order_by(RegisterEntry.id.desc())).first()

    def _case(self, number: str, room: str) -> dict:
        """A client with a case that has an open task, and people to do something with."""
        worker = self.county.act(f"ft-{number}-1")
        registered = clients.register(self.system, worker, {"name": "张三"}, room, now=self.county.now)
        started = instances.start(self.system, worker, "everybody", {}, room, registered["id"], now=self.county.now)
        task, holder = started["tasks"][0]["id"], self.county.act(f"pt-{number}-1")
        self._refuse(started["id"], task, holder)
        return {
            "waiver": waivers.ask(self.system, holder, RULE, "对象要求", task, now=self.county.now)["id"],
            "room": room,
            "station": f"station-{number}",
            "case": started["id"],
            "task": started["tasks"][0]["id"],
            "handover": self._handover(number, started["tasks"][0]["id"]),
            "client": registered["id"],
            "household": registered["household_id"],
            "person": self.county.act(f"ft-{number}-2").person_id,
            "colleague": f"ft-{number}-2",
            "holder": f"pt-{number}-1",
        }

    def _refuse(self, case: str, task: str, holder: Actor) -> None:
        """Whoever takes tasks was refused by a regulation at this one, as engine.commands.judging notes it."""
        verdict = {"rule": RULE, "effect": "waiver", "table": "gate", "version": "1", "waivable_by": "lead"}
        people = {actor.person_id: actor for actor in (holder, *(self.county.act(name) for name in USERNAMES.values() if name))}
        with self.system.database.unit(self.county.now) as unit:
            for actor in people.values():
                if may(actor, "waiver:ask"):
                    about = {"instance": case, "task": task, "person": actor.person_id, "rules": [RULE], "verdicts": [verdict]}
                    audit.record(unit, f"access/{actor.person_id}", Kind.REGULATION_REFUSED, actor=actor, facts=about)
            unit.commit()

    def own_waiver(self, key: str, place: Place) -> str:
        """A request of somebody's own at a place where they may ask; that of the place elsewhere."""
        actor = USERNAMES[key] and self.county.act(USERNAMES[key])
        if not actor or not may(actor, "waiver:ask"):
            return place.waiver
        try:
            return waivers.ask(self.system, actor, RULE, "对象要求", place.task, now=self.county.now)["id"]
        except WaiverKnown:
            with self.system.database.read() as session:
                return waivers_of.of_case(session, place.case, actor.person_id)[0].id
        except NotFound:
            return place.waiver

    def _handover(self, number: str, task: str) -> str:
        """A reassignment that its lead has ordered, and that moves nothing."""
        return handing.reassign(self.system, self.county.act(f"lead-{number}"), [task], None, "缺人", lines=[], now=self.county.now)["id"]

    def _outing(self, number: str, room: str) -> dict:
        """A planned outing of a station in which everybody takes part, and an alert about one that is overdue."""
        worker = self.county.act(f"ft-{number}-1")
        people = [f"pt-{number}-1", room.replace("room", "assistant"), f"volunteer-{number}-1", f"partner-{number}-mediator"]
        planned, late = (
            outings.report(self.system, worker, self.trip() | {"companions": people, "leaves": False}, now=self.county.now)["id"]
            for _ in range(2)
        )
        look_at_outing(self.system, self.county.act("system"), late, now=self.county.now + timedelta(hours=2))
        with self.system.database.read() as session:
            alert = session.scalar(select(Alert.id).where(Alert.subject == f"outing/{late}", Alert.notify == "lead"))
        return {"outing": planned, "alert": alert}

    def trip(self) -> dict:
        """What is reported of an outing."""
        expected = self.county.now + timedelta(hours=1)
        return {"destination": "张庄村", "reason": "走访", "expected_return": expected.isoformat()}

    def names(self, place: Place, rule, key: str) -> dict:
        """The parameters of a rule's address."""
        known = {
            "instance_id": place.case,
            "task_id": place.task,
            "client_id": place.client,
            "person_id": place.person,
            "outing_id": place.outing,
            "alert_id": place.alert,
            "waiver_id": self.own_waiver(key, place) if rule.endpoint.endswith(".withdraw") and "waiver_id" in rule.arguments else place.waiver,
            "entry_id": place.entry,
            "subject_id": place.person,
            "about": "person",
            "register": "badges",
            "handover_id": place.handover,
            "username": place.colleague,
            "element": "nothing",
            "key": "spare",
            "number": 1,
            "name": "spare.bpmn",
            "code": "zh",
            "filename": "site.css",
            "token": 1,
            "kind": "timers",
            **dict.fromkeys(UNBUILT, "1"),
            "session_id": self._spare.get(key, place.session) if rule.endpoint == "sessions-api.end" else place.session,
        }
        if rule.endpoint == "county.unit":
            known["key"] = place.station
        if rule.endpoint == "regulations.regulation":
            known["key"] = "safety"
        return {name: known[name] for name in rule.arguments}

    def touch(self, which: str, what: str) -> None:
        """Something was done to the objects of a place by a route or command of this name: the next request gets new ones."""
        words = {"registers": self._entries, "outing": self._outings, "alert": self._outings}
        words |= dict.fromkeys(("session", "people", "account"), self._sessions)
        next((held for word, held in words.items() if word in what), self._cases).pop(which, None)

    def hold(self, key: str, which: str) -> None:
        """Have somebody hold the task of a place: the caller where it is theirs to take, else a colleague there."""
        mine = USERNAMES[key] and (which == "own" or key == "supervisor")
        holder = self.county.act(USERNAMES[key] if mine else self.place(which).holder)
        try:
            tasks.claim(self.system, holder, self.place(which).task, now=self.county.now + timedelta(seconds=1))
        except EngineError:  # not theirs to take, or taken: then the request is refused whoever holds it
            pass

    # --- what is there --------------------------------------------------------------------------------------------------

    def written(self) -> int:
        """How many rows were written until now, without the access streams."""
        with self.system.database.engine.connect() as connection:
            return connection.execute(COUNT).scalar_one()

    def refusals(self, key: str) -> int:
        """How many refusals somebody's access stream holds."""
        if USERNAMES[key] is None:
            return 0
        stream = f"access/{self.county.act(USERNAMES[key]).person_id}"
        with self.system.database.engine.connect() as connection:
            query = select(func.count()).where(Event.stream == stream, Event.kind.in_(("right:refused", "regulation:refused")))
            return connection.execute(query).scalar_one()
