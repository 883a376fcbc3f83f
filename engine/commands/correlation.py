"""How a message and who waits for it find each other.

Order of locks, everywhere: a delivery, then a message's key, then cases in the order of their ids. Whoever publishes takes the key first
and only then the cases that wait. A case that opens a wait holds its own lock already, so it may only *try* the key: if somebody has it,
the case posts a delivery to look again (`deliveries.AWAITED`), which takes the key first. Under the key, either the message sees the wait
or the wait sees the message. On SQLite one writer excludes all others, so there is nothing to take.
"""

from sqlalchemy import text

from engine import messages
from engine.audit import Kind
from engine.commands import Act
from engine.commands.posting import unpacked
from engine.messages import Message


def lock_key(act: Act, hashed: str, wait: bool = True) -> bool:
    """Take a message's key until the end of the transaction. Without `wait`: whether it could be had at once."""
    if act.system.database.dialect == "sqlite":
        return True
    number = int(hashed[:16], 16) - (1 << 63)
    if wait:
        act.unit.connection.execute(_LOCK, {"number": number})
        return True
    return act.unit.connection.execute(_TRY, {"number": number}).scalar_one()


_LOCK = text("SELECT pg_advisory_xact_lock(CAST(:number AS bigint))")
_TRY = text("SELECT pg_try_advisory_xact_lock(CAST(:number AS bigint))")


def next_message(act: Act, hashed: str, definition_key: str) -> Message | None:
    """The oldest kept message for a key that a procedure has not had yet; the key is locked."""
    kept = messages.buffered(act.session, act.actor.county_id, hashed, act.now)
    return next((message for message in kept if definition_key not in message.correlated_to), None)


def brought_by(act: Act, message: Message) -> dict:
    """What a kept message brings, as FEEL values."""
    return unpacked(act.system.vault.open_own(message.sealed, messages.place_of(message.id)))


def note(act: Act, message: Message, definition_key: str, instance_id: str) -> None:
    """Remember that a procedure has had a message."""
    message.correlated_to = sorted({*message.correlated_to, definition_key})
    act.record(message.__stream__(), Kind.MESSAGE_CORRELATED, facts={"definition": definition_key, "instance": instance_id})
