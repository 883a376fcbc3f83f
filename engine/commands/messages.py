"""Messages and signals: sent by programs and people, or thrown by cases, they take the same way to whoever waits."""

from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select

from engine import audit, definitions, deliveries, feel, instances, messages
from engine.audit import Kind
from engine.commands import Act, command, correlation
from engine.commands.instances import Place, unit_today
from engine.commands.locking import lock_instance
from engine.commands.posting import given, packed, post
from engine.commands.running import Run, open_case
from engine.db import new_id
from engine.definitions import Definition
from engine.exceptions import DatabaseBusy, Erased, Forbidden, InvalidRequest, MessageKnown, SealBroken, StateUnreadable
from engine.feel import FeelError
from engine.messages import MESSAGE, SIGNAL, Message, StartSubscription
from engine.organisation import Unit, covers, unit_by_key
from engine.permissions import PERMISSION_NAMES
from engine.reference import in_force
from engine.workflow import Case, Environment

CANDIDATES = 3  # cases of one procedure that are locked, so that one is left if others have just gone on


@dataclass
class Outcome:
    """What became of a message: cases that caught it, cases that it began, whether it is kept."""

    message_id: str
    caught: list[Run] = field(default_factory=list)
    begun: list[Run] = field(default_factory=list)
    kept: bool = False


@command("message:publish", "message:publish")
def publish_message(
    act: Act,
    name: str,
    correlation_key: str | int | None = None,
    variables: dict | None = None,
    seconds: int | None = None,
    message_id: str | None = None,
    place: str | None = None,
) -> dict:
    """Send a message to the oldest case of each procedure that waits for it, or begin cases that it starts; else it is kept for `seconds`.

    `message_id`: the sender's own number; the same again is refused while the first is kept. `place`: where a case begins (own unit).
    Answers {id, caught, started: how many, instances: those of them the actor may see, kept}.
    Raises InvalidRequest, MessageKnown, NotFound, UnitClosed, Forbidden.
    """
    lifetime = messages.LIFETIME if seconds is None else timedelta(seconds=_seconds(seconds))
    key = _key(correlation_key)
    unit = _unit(act, place)
    sent = publish(act, _name(name), key, given(variables), lifetime, unit.path, _text("messageId", message_id))
    seen = [run.instance for run in (*sent.caught, *sent.begun) if instances.sees(act.actor, run.instance)]
    return {
        "id": sent.message_id,
        "caught": len(sent.caught),
        "started": len(sent.begun),
        "kept": sent.kept,
        "instances": [{"id": each.id, "number": each.number, "status": each.status} for each in seen],
    }


@command("signal:send", "message:publish")
def send_signal(act: Act, name: str, variables: dict | None = None, place: str | None = None) -> dict:
    """Tell everything in the county that waits for a signal. Answers {waiting, starts}: how many cases will hear it, how many begin."""
    unit = _unit(act, place)
    return broadcast(act, _name(name), given(variables), unit.path)


@command("message:expire", settles=False)
def expire(act: Act, message_id: str, hashed: str) -> dict:
    """Forget a kept message whose time is over. Answers {expired}."""
    correlation.lock_key(act, hashed)
    row = act.session.get(Message, message_id)
    if row is None or row.expires_at > act.now:
        return {"expired": False}
    _forget(act, row)
    return {"expired": True}


def publish(
    act: Act,
    name: str,
    key: str | None,
    variables: dict,
    lifetime: timedelta,
    place_path: str,
    message_id: str | None = None,
    source: str | None = None,
) -> Outcome:
    """What `publish_message` and a throwing case (`source`) share; `variables` are FEEL values. Raises MessageKnown."""
    vault, county_id = act.system.vault, act.actor.county_id
    hashed = messages.key_hash(vault, county_id, MESSAGE, name, key)
    correlation.lock_key(act, hashed)
    known_as = vault.index(county_id, "message id", message_id) if message_id else None
    if known_as:
        _require_new(act, hashed, known_as)
    outcome = Outcome(new_id(), kept=lifetime > timedelta(0))
    stream = messages.stream_of(outcome.message_id)
    audit.open_stream(act.unit, stream, county_id)
    for run, subscription in _receivers(act, hashed):
        run.record(Kind.MESSAGE_CORRELATED, {"message": outcome.message_id, "subscription": subscription})
        run.case.correlate(subscription, variables, run.environment)
        run.save()
        outcome.caught.append(run)
    had = {run.instance.definition_key for run in outcome.caught}
    for start in messages.starts(act.session, county_id, MESSAGE, name):
        if start.key not in had and not (key and messages.is_running(act.session, county_id, start.key, hashed)):
            facts = {"start": start.element, "message": outcome.message_id}
            outcome.begun.append(begin_by_event(act, start, variables, place_path, facts, hashed if key else None))
            had.add(start.key)
    if outcome.kept:
        act.session.add(
            Message(
                id=outcome.message_id,
                county_id=county_id,
                name=name,
                key_hash=hashed,
                has_key=key is not None,
                message_id=known_as,
                sealed=vault.seal_own(packed(variables), messages.place_of(outcome.message_id)),
                place_path=place_path,
                published_by=act.actor.person_id,
                published_at=act.now,
                expires_at=act.now + min(lifetime, messages.LONGEST_LIFETIME),
                correlated_to=sorted(had),
            )
        )
    told = {"caught": [run.instance.id for run in outcome.caught], "started": [run.instance.id for run in outcome.begun]}
    act.record(stream, Kind.MESSAGE_PUBLISHED, facts={"name": name, "from": source, "kept": outcome.kept} | told)
    return outcome


def _require_new(act: Act, hashed: str, known_as: str) -> None:
    """Raises MessageKnown; one of this number whose time is over makes room, though the worker has not come by yet."""
    query = select(Message).where(Message.county_id == act.actor.county_id, Message.key_hash == hashed, Message.message_id == known_as)
    for kept in act.session.scalars(query):
        if kept.expires_at > act.now:
            raise MessageKnown()
        _forget(act, kept)
    act.session.flush()


def _forget(act: Act, message: Message) -> None:
    act.session.delete(message)
    act.record(message.__stream__(), Kind.MESSAGE_EXPIRED, facts={"correlated": message.correlated_to})


def broadcast(act: Act, name: str, variables: dict, place_path: str, source: str | None = None) -> dict:
    """What `send_signal` and a throwing case (`source`, which has heard it already) share: a delivery for each case that waits."""
    county_id = act.actor.county_id
    hashed = messages.key_hash(act.system.vault, county_id, SIGNAL, name)
    waiting: dict[str, list[int]] = {}
    for instance_id, subscription, _definition in messages.waiting(act.unit.connection, county_id, hashed):
        if instance_id != source:
            waiting.setdefault(instance_id, []).append(subscription)
    for instance_id, subscriptions in waiting.items():
        payload = {"subscriptions": subscriptions, "variables": packed(variables)}
        post(act, deliveries.SIGNAL, payload, place_path, source, instance_id)
    starts = messages.starts(act.session, county_id, SIGNAL, name)
    for start in starts:
        payload = {"definition": start.definition_id, "element": start.element, "variables": packed(variables)}
        post(act, deliveries.START, payload, place_path, source)
    facts = {"name": name, "from": source, "waiting": len(waiting), "starts": len(starts)}
    act.record(audit.stream("signal", new_id()), Kind.SIGNAL_BROADCAST, facts=facts)
    return {"waiting": len(waiting), "starts": len(starts)}


def begin_by_event(act: Act, start: StartSubscription, variables: dict, place_path: str, facts: dict, begun_by: str | None = None) -> Run:
    """Begin a case of a published procedure at a place because a message or signal has come."""
    compiled = definitions.published(act.system, act.session, start.key)
    unit = unit_by_key(act.session, act.actor.county_id, place_path.rsplit("/", 1)[-1])
    run = open_case(act, compiled, Place.of(unit), None, facts, begun_by)
    run.case = Case.start(compiled.process, {"placeName": unit.name}, run.environment, start.element, brought=variables)
    run.save()
    return run


def begin_next(act: Act, definition_key: str, hashed: str) -> Run | None:
    """A case that a message began is over: begin the one that the next kept message of its key is for, if there is any."""
    correlation.lock_key(act, hashed)
    message = correlation.next_message(act, hashed, definition_key)
    if message is None or messages.is_running(act.session, act.actor.county_id, definition_key, hashed):
        return None
    for start in messages.starts(act.session, act.actor.county_id, MESSAGE, message.name):
        if start.key == definition_key:
            facts = {"start": start.element, "message": message.id}
            run = begin_by_event(act, start, correlation.brought_by(act, message), message.place_path, facts, hashed)
            correlation.note(act, message, definition_key, run.instance.id)
            return run
    return None


def subscribe_starts(act: Act, definition: Definition, process) -> None:
    """Let the message and signal start events of the version that is now current begin cases, those of the former no more. `process` None:
    no more. Raises InvalidRequest where a name is none."""
    for row in act.session.scalars(select(StartSubscription).where(StartSubscription.definition_id == definition.id)):
        act.session.delete(row)
    act.session.flush()
    for element_id in process.start_events if process else ():
        element = process.elements[element_id]
        if element.trigger in (MESSAGE, SIGNAL):
            act.session.add(
                StartSubscription(
                    definition_id=definition.id,
                    county_id=act.actor.county_id,
                    element=element_id,
                    key=definition.key,
                    trigger=element.trigger.value,
                    name=_start_name(act, element),
                )
            )


def _start_name(act: Act, element) -> str:
    known = in_force(act.system, act.session)
    names = dict(known.functions) | {"parameters": known.parameters(act.now, None)}
    try:
        name = element.event.name.evaluate({}, Environment(act.now.astimezone(act.system.zone), names, None, act.system.zone))
    except FeelError as error:
        raise InvalidRequest(field=element.id, reason=error.message) from error
    if not isinstance(name, str) or not name or len(name) > messages.LONGEST_NAME:
        raise InvalidRequest(field=element.id, reason="消息或信号的名称应是文字")
    return name


def _receivers(act: Act, hashed: str) -> list[tuple[Run, int]]:
    """(case, subscription) of the oldest wait of each procedure, their cases locked and taken up; the key is locked."""
    county_id = act.actor.county_id
    candidates: dict[str, list[str]] = {}
    for instance_id, _subscription, definition in messages.waiting(act.unit.connection, county_id, hashed):
        known = candidates.setdefault(definition, [])
        if instance_id not in known and len(known) < CANDIDATES:
            known.append(instance_id)
    runs = {instance_id: lock_instance(act, instance_id) for instance_id in sorted({i for known in candidates.values() for i in known})}
    if not runs:
        return []
    chosen: dict[str, tuple[Run, int]] = {}
    broken: set[str] = set()
    for instance_id, subscription, definition in messages.waiting(act.unit.connection, county_id, hashed):
        if definition in chosen or instance_id in broken:
            continue
        if instance_id not in runs:  # all that were locked have just gone on, and more wait
            raise DatabaseBusy()
        try:
            chosen[definition] = runs[instance_id].restore(), subscription
        except (StateUnreadable, Erased, SealBroken):  # an operator's matter; the message is for the next
            broken.add(instance_id)
    return list(chosen.values())


# --- what comes from outside --------------------------------------------------------------------------------------------------


def _unit(act: Act, place: str | None) -> Unit:
    """Where cases begin that a message or signal starts. Raises NotFound, UnitClosed, Forbidden."""
    unit = unit_today(act, place or act.actor.unit_key)
    if not covers(act.actor.unit_path, unit.path):
        raise Forbidden(permission=PERMISSION_NAMES["message:publish"], unit=unit.name)
    return unit


def _name(name: str) -> str:
    if not isinstance(name, str) or not name.strip() or len(name) > messages.LONGEST_NAME:
        raise InvalidRequest(field="name", reason=f"应为不超过 {messages.LONGEST_NAME} 个字符的文字")
    return name


def _text(field_name: str, text: str | None) -> str | None:
    if text is not None and (not isinstance(text, str) or not 0 < len(text) <= messages.LONGEST_KEY):
        raise InvalidRequest(field=field_name, reason=f"应为不超过 {messages.LONGEST_KEY} 个字符的文字")
    return text


def _key(key) -> str | None:
    """A correlation key as a case evaluates its own: text, or a number's text."""
    if key is None or key == "":
        return None
    if isinstance(key, bool) or not isinstance(key, str | int | float):
        raise InvalidRequest(field="key", reason="应为文字或数字")
    try:
        return _text("key", key if isinstance(key, str) else str(feel.to_plain(feel.from_plain(key))))
    except FeelError as error:  # not a number
        raise InvalidRequest(field="key", reason=error.message) from error


def _seconds(seconds) -> int:
    longest = int(messages.LONGEST_LIFETIME.total_seconds())
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= longest:
        raise InvalidRequest(field="ttl", reason=f"应为 0 到 {longest} 的整数（秒）")
    return seconds
