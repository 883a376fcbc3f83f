"""Messages and signals: who waits gets them, whoever comes first; each procedure once; nothing is lost, nothing happens twice."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from engine.audit import Event
from engine.commands.instances import cancel
from engine.commands.messages import publish_message, send_signal
from engine.deliveries import Delivery
from engine.exceptions import Forbidden, IdempotencyMismatch, InvalidRequest, MessageKnown, StartedByEvent
from engine.instances import Instance
from engine.messages import Message, Subscription
from tests.bpmn.builder import Diagram
from tests.integration.test_cases import ASSIGN, form, number


def asking(ident: str) -> Diagram:
    """Begins by asking for `n`, which is the key that its waits use."""
    diagram = Diagram(ident)
    diagram.add("startEvent", "start"), diagram.user("ask", ASSIGN), diagram.add("endEvent", "end")
    diagram.path("start", "ask")
    return diagram


def files(diagram: Diagram) -> dict:
    users = [node.id for node in diagram.nodes.values() if node.tag == "userTask"]
    return {f"{diagram.id}.bpmn": diagram.xml()} | {f"{u}.form": form(u, *([number("n")] if u == "ask" else [])) for u in users}


def receipt(ident: str = "receipt") -> dict:
    """ask → wait for `paid` with key n → thank."""
    diagram = asking(ident)
    diagram.event("intermediateCatchEvent", "paid", "message", "paid", key="n")
    diagram.user("thank", ASSIGN)
    diagram.path("ask", "paid", "thank", "end")
    return files(diagram)


def publish(county, name="paid", key=None, who="supervisor", **options):
    return publish_message(county.system, county.act(who), name, key, now=county.now, **options)


def begun(county, definition="receipt", n=7):
    return county.start(definition, data={"n": n})["id"]


def rows(county, model) -> int:
    with county.system.database.read() as session:
        return session.scalar(select(func.count()).select_from(model))


def cases_of(county, definition: str) -> list[str]:
    with county.system.database.read() as session:
        return list(session.scalars(select(Instance.id).where(Instance.definition_key == definition).order_by(Instance.id)))


@pytest.fixture
def paying(county):
    county.deploy(**receipt())
    return county


def test_a_message_reaches_the_case_that_waits_for_its_key(paying):
    one, other = begun(paying, n=7), begun(paying, n=8)
    answer = publish(paying, key=7, variables={"amount": 12.5})
    assert (answer["caught"], answer["started"], [each["id"] for each in answer["instances"]]) == (1, 0, [one])
    assert list(paying.open_tasks(one)) == ["thank"] and list(paying.open_tasks(other)) == []
    assert float(paying.variables(one)["amount"]) == 12.5 and "amount" not in paying.variables(other)
    assert "message:caught" in [line["kind"] for line in paying.history(one)]
    assert rows(paying, Subscription) == 1
    assert paying.faults() == []


def test_a_message_that_comes_first_is_kept_and_caught(paying):
    answer = publish(paying, key="7")
    assert (answer["caught"], answer["kept"]) == (0, True)
    one = begun(paying, n=7)
    assert list(paying.open_tasks(one)) == ["thank"]
    other = begun(paying, n=7)
    assert list(paying.open_tasks(other)) == [], "each procedure has a message once"
    assert paying.faults() == []


@pytest.mark.parametrize("name", ["case", "parameters", "working days after", " ", "x" * 101])
def test_names_that_no_expression_would_see_are_refused(paying, name):
    """They were kept beside the system's own, which hid them for ever."""
    with pytest.raises(InvalidRequest):
        publish(paying, key=7, variables={name: 1})
    assert rows(paying, Message) == 0


def test_what_is_no_number_is_no_key(paying):
    with pytest.raises(InvalidRequest):
        publish(paying, key=float("nan"))


@pytest.mark.parametrize("draw", [lambda d: d.event("startEvent", "begin", "message", "M"), lambda d: d.timer("startEvent", "begin", "Cycle", "R/P1D")])
def test_people_do_not_begin_what_an_event_begins(county, draw):
    """As in Zeebe. It began as if the message had come, with nothing that a message brings."""
    diagram = Diagram("by_event")
    draw(diagram), diagram.user("work", ASSIGN), diagram.add("endEvent", "end"), diagram.path("begin", "work", "end")
    county.deploy(**files(diagram))
    with pytest.raises(StartedByEvent):
        county.start("by_event")
    assert cases_of(county, "by_event") == []


def test_a_message_waits_no_longer_than_it_lives(paying):
    publish(paying, key=7, seconds=60)
    assert rows(paying, Message) == 1
    paying.pass_time(seconds=60)
    assert rows(paying, Message) == 0
    assert list(paying.open_tasks(begun(paying))) == []
    assert publish(paying, key=9, seconds=0)["kept"] is False
    assert rows(paying, Message) == 0
    assert paying.faults() == []


def test_the_oldest_case_of_each_procedure_catches_it(paying):
    paying.deploy(**receipt("second"))
    first, later = begun(paying), begun(paying)
    of_second = begun(paying, "second")
    assert publish(paying, key=7)["caught"] == 2
    assert [list(paying.open_tasks(each)) for each in (first, later, of_second)] == [["thank"], [], ["thank"]]
    assert publish(paying, key=7)["caught"] == 1
    assert list(paying.open_tasks(later)) == ["thank"]
    assert paying.faults() == []


def test_a_message_number_counts_once_while_it_is_kept(paying):
    publish(paying, key=7, message_id="INV-1")
    with pytest.raises(MessageKnown):
        publish(paying, key=7, message_id="INV-1")
    publish(paying, key=8, message_id="INV-1")
    paying.now += timedelta(hours=2)  # the worker has not come by
    publish(paying, key=7, message_id="INV-1")
    assert paying.faults() == []


def test_an_idempotency_key_publishes_once(paying):
    first = publish(paying, key=7, variables={"a": 1})
    again = {"now": paying.now, "key": "k"}
    one = publish_message(paying.system, paying.act("supervisor"), "paid", 8, **again)
    assert publish_message(paying.system, paying.act("supervisor"), "paid", 8, **again) == one != first
    with pytest.raises(IdempotencyMismatch):
        publish_message(paying.system, paying.act("supervisor"), "paid", 9, **again)
    assert rows(paying, Message) == 2


def test_who_may_publish_and_what_they_are_told(paying):
    one = begun(paying)
    with pytest.raises(Forbidden):
        publish(paying, key=7, who="ft-01-1")
    with pytest.raises(Forbidden):
        publish(paying, key=7, who="lead-02", place="room-001")
    answer = publish(paying, key=7, who="lead-02")
    assert (answer["caught"], answer["instances"]) == (1, []), "another station's case is not told"
    assert list(paying.open_tasks(one)) == ["thank"]


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "x" * 201}, {"key": True}, {"key": [1]}, {"key": "k" * 401}, {"seconds": -1}, {"seconds": 10**9}, {"message_id": ""}],
)
def test_what_is_no_message_is_refused(paying, wrong):
    with pytest.raises(InvalidRequest):
        publish(paying, **({"name": "paid", "key": 7} | wrong))


def test_a_message_begins_a_case_one_at_a_time_for_a_key(county):
    diagram = Diagram("order")
    diagram.event("startEvent", "ordered", "message", "ordered"), diagram.user("serve", ASSIGN), diagram.add("endEvent", "end")
    diagram.path("ordered", "serve", "end")
    county.deploy(**files(diagram))
    answer = publish(county, "ordered", "139", variables={"service": "理发"}, place="room-001")
    assert (answer["started"], answer["caught"]) == (1, 0)
    first = answer["instances"][0]["id"]
    assert county.variables(first) == {"placeName": "张庄村", "service": "理发"}
    assert publish(county, "ordered", "139", variables={"service": "理发二"}, place="room-001")["started"] == 0
    assert publish(county, "ordered", "158", place="room-001")["started"] == 1
    assert publish(county, "ordered", place="room-001")["started"] == 1, "without a key each begins one"
    assert publish(county, "ordered", place="room-001")["started"] == 1
    county.do("ft-01-1", first, "serve")
    second = cases_of(county, "order")[-1]
    assert county.variables(second)["service"] == "理发二", "the next begins when the first is over"
    assert county.faults() == []
    with county.system.database.engine.begin() as connection:
        connection.execute(text("DELETE FROM started_case WHERE instance_id = :id"), {"id": second})
    assert len(county.faults()) == 1, "tampering with who began what is found"


def test_a_withdrawn_procedure_begins_no_more(county):
    from engine.commands.definitions import withdraw

    diagram = Diagram("order")
    diagram.event("startEvent", "ordered", "message", "ordered"), diagram.user("serve", ASSIGN), diagram.add("endEvent", "end")
    diagram.path("ordered", "serve", "end")
    county.deploy(**files(diagram))
    withdraw(county.system, county.act("supervisor"), "order", 1, now=county.now)
    assert publish(county, "ordered", "1")["started"] == 0
    assert county.faults() == []


def test_a_case_sends_to_a_case(paying):
    sender = asking("payer")
    sender.event("intermediateThrowEvent", "pay", "message", "paid", key="n")
    sender.path("ask", "pay", "end")
    paying.deploy(**files(sender))
    waiting = begun(paying)
    payer = begun(paying, "payer")
    assert paying.instance(payer).status == "completed"
    assert list(paying.open_tasks(waiting)) == ["thank"]
    assert rows(paying, Delivery) == 0
    early = begun(paying, "payer", n=9)
    assert paying.instance(early).status == "completed"
    assert list(paying.open_tasks(begun(paying, n=9))) == ["thank"]
    assert paying.faults() == []


def test_messages_between_two_cases_to_and_fro(county):
    """Each answers the other: nothing is locked crosswise, everything ends."""
    for name, hears, says in (("ping", "pong", "ping"), ("pong", "ping", "pong")):
        diagram = asking(name)
        diagram.event("intermediateThrowEvent", "say", "message", says, key="n")
        diagram.event("intermediateCatchEvent", "hear", "message", hears, key="n")
        diagram.script("count", "heard", "(if heard = null then 0 else heard) + 1")
        diagram.add("exclusiveGateway", "more")
        diagram.path("ask", "say", "hear", "count", "more")
        diagram.flow("more", "say", "heard < 3"), diagram.flow("more", "end", default=True)
        county.deploy(**files(diagram))
    one, other = begun(county, "ping"), begun(county, "pong")
    county.pass_time(seconds=1)
    assert [county.instance(each).status for each in (one, other)] == ["completed", "completed"]
    assert county.faults() == []


def test_a_wait_that_is_over_catches_nothing(paying):
    one = begun(paying)
    cancel(paying.system, paying.act("lead-01"), one, "重复", now=paying.now)
    assert rows(paying, Subscription) == 0
    assert publish(paying, key=7)["caught"] == 0
    assert paying.faults() == []


def test_a_first_form_answered_at_once_leaves_no_wait_behind(county):
    """Pins: a timer or wait that opened and closed in one command (starting with data) stayed in the table for ever."""
    diagram = asking("hurry")
    diagram.boundary("late", "ask", "timer", "P1D")
    diagram.boundary("called_off", "ask", "message", "off")
    diagram.define("message", "off")
    diagram.nodes["called_off"].inner = '<bpmn:messageEventDefinition messageRef="off_1"/>'
    diagram.definitions["off_1"] = (
        '  <bpmn:message id="off_1" name="off"><bpmn:extensionElements><zeebe:subscription correlationKey="=placeName"/>'
        "</bpmn:extensionElements></bpmn:message>\n"
    )
    diagram.definitions.pop("message_off", None)
    diagram.add("endEvent", "other"), diagram.add("endEvent", "third")
    diagram.path("ask", "end"), diagram.path("late", "other"), diagram.path("called_off", "third")
    county.deploy(**files(diagram))
    one = begun(county, "hurry")
    assert county.instance(one).status == "completed"
    assert rows(county, Subscription) == 0
    with county.system.database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM timer")) == 0
    assert county.pass_time(days=2) == 0
    assert county.faults() == []


# --- signals ------------------------------------------------------------------------------------------------------------------


def listener(ident: str = "listener") -> dict:
    diagram = asking(ident)
    diagram.event("intermediateCatchEvent", "alarm", "signal", "alarm")
    diagram.user("act", ASSIGN)
    diagram.path("ask", "alarm", "act", "end")
    return files(diagram)


def test_a_signal_is_heard_by_all_who_wait_and_by_nobody_later(county):
    county.deploy(**listener())
    waiting = [begun(county, "listener", n) for n in (1, 2, 3)]
    answer = send_signal(county.system, county.act("supervisor"), "alarm", {"level": "red"}, now=county.now)
    assert answer == {"waiting": 3, "starts": 0}
    assert [list(county.open_tasks(each)) for each in waiting] == [["act"]] * 3
    assert county.variables(waiting[0])["level"] == "red"
    assert list(county.open_tasks(begun(county, "listener"))) == []
    assert rows(county, Delivery) == 0
    assert county.faults() == []


def test_a_signal_begins_cases_and_a_case_throws_one(county):
    county.deploy(**listener())
    watch = Diagram("watch")
    watch.event("startEvent", "on_alarm", "signal", "alarm"), watch.user("look", ASSIGN), watch.add("endEvent", "end")
    watch.path("on_alarm", "look", "end")
    county.deploy(**files(watch))
    thrower = asking("thrower")
    thrower.event("intermediateThrowEvent", "cry", "signal", "alarm")
    thrower.path("ask", "cry", "end")
    county.deploy(**files(thrower))
    waiting = begun(county, "listener")
    case = begun(county, "thrower")
    assert county.instance(case).status == "completed"
    assert list(county.open_tasks(waiting)) == ["act"]
    [started] = cases_of(county, "watch")
    assert county.instance(started).place_path == "county/station-01/room-001", "it begins where the signal was thrown"
    assert list(county.open_tasks(started)) == ["look"]
    assert county.faults() == []


def test_a_case_hears_its_own_signal_once(county):
    diagram = asking("echo")
    diagram.add("parallelGateway", "split"), diagram.event("intermediateCatchEvent", "hear", "signal", "x")
    diagram.event("intermediateThrowEvent", "cry", "signal", "x"), diagram.user("heard", ASSIGN), diagram.add("endEvent", "other")
    diagram.timer("intermediateCatchEvent", "pause", "Duration", "PT1M")
    diagram.path("ask", "split", "hear", "heard", "end"), diagram.path("split", "pause", "cry", "other")
    county.deploy(**files(diagram))
    case = begun(county, "echo")
    county.pass_time(minutes=1)
    assert list(county.open_tasks(case)) == ["heard"]
    assert [line["kind"] for line in county.history(case)].count("signal:caught") == 1
    assert rows(county, Delivery) == 0
    assert county.faults() == []


# --- what is stored -----------------------------------------------------------------------------------------------------------


def test_neither_key_nor_content_of_a_message_is_readable_in_the_tables(paying):
    publish(paying, key="13912345678", variables={"note": "张三欠款"})
    with paying.system.database.read() as session:
        dump = repr([tuple(row) for row in session.execute(select(Message.__table__))])
        dump += repr([tuple(row) for row in session.execute(select(Event.__table__))])
    assert "13912345678" not in dump and "张三" not in dump


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE message SET expires_at = '2030-01-01 00:00:00'",
        "DELETE FROM message",
        "UPDATE subscription SET key_hash = 'x'",
        "DELETE FROM subscription",
        "DELETE FROM start_subscription",
    ],
)
def test_tampering_is_found(paying, change):
    watch = Diagram("watch")
    watch.event("startEvent", "on_alarm", "signal", "alarm"), watch.add("endEvent", "end"), watch.path("on_alarm", "end")
    paying.deploy(**files(watch))
    begun(paying)
    publish(paying, key=99)
    assert paying.faults() == []
    with paying.system.database.engine.begin() as connection:
        assert connection.execute(text(change)).rowcount == 1
    assert len(paying.faults()) == 1


# --- PostgreSQL only: others write meanwhile ----------------------------------------------------------------------------------


def test_a_wait_that_opens_while_somebody_publishes_looks_again(new_database, monkeypatch):
    """Pins the order of locks: a case may only try a key, and looks again in a transaction that takes it first."""
    from sqlalchemy import create_engine

    from engine import messages
    from engine.commands.deliveries import carry_out
    from tests.support.counties import County, prepare

    county = County(new_database("postgresql", prepare))
    county.deploy(**receipt())
    publish(county, key=7)
    number = int(messages.key_hash(county.system.vault, "county", "message", "paid", "7")[:16], 16) - (1 << 63)
    monkeypatch.setattr("engine.commands.deliveries.settle", lambda *_: None)
    with create_engine(county.url).begin() as other:
        other.execute(text(f"SELECT pg_advisory_xact_lock({number})"))
        one = begun(county, n=7)
        assert list(county.open_tasks(one)) == [], "the publisher has not committed yet"
        assert rows(county, Delivery) == 1
    assert carry_out(county.system, county.now) == 1
    assert list(county.open_tasks(one)) == ["thank"]
    assert county.faults() == []
    county.system.database.dispose()
