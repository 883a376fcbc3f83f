"""Who may read and write which register.

Registers about people who work here and units follow `register:read` and `register:write`, the inner ones (conduct, presence, what citizens
say) also `register:watch`; those about people served follow `client:read` and `client:write`. Always within what the actor's unit covers.
Everybody with `register:own` reads the entries about themselves, and writes them where the register is declared `own`.
"""

from sqlalchemy import ColumnElement

from engine.exceptions import Forbidden, NotFound
from engine.organisation import Actor, covers, lies_in
from engine.permissions import PERMISSION_NAMES, may
from engine.registers.catalogue import REGISTERS
from engine.registers.declaring import CLIENT, PERSON, Register


def may_read(actor: Actor, register: Register) -> bool:
    """Whether the actor reads this register's entries at their place."""
    return may(actor, register.reading) and _may_look_inside(actor, register)


def may_write(actor: Actor, register: Register) -> bool:
    """Whether the actor writes entries at their place."""
    return may(actor, register.writing) and _may_look_inside(actor, register)


def may_write_own(actor: Actor, register: Register) -> bool:
    """Whether the actor writes entries about themselves."""
    return register.own and may(actor, "register:own")


def may_open(actor: Actor, register: Register) -> bool:
    """Whether there is anything in this register that the actor may see."""
    return may_read(actor, register) or (register.about == PERSON and may(actor, "register:own"))


def readable(actor: Actor) -> list[Register]:
    """The registers that the actor may open, in order."""
    return [register for register in REGISTERS.values() if may_open(actor, register)]


def require_open(actor: Actor, register: Register) -> None:
    """Raises Forbidden unless `may_open`."""
    if not may_open(actor, register):
        raise Forbidden(permission=PERMISSION_NAMES[register.reading], unit=actor.unit_key)


def require_write(actor: Actor, register: Register) -> None:
    """Raises Forbidden unless the actor may write here at all, if only about themselves."""
    if not may_write(actor, register) and not may_write_own(actor, register):
        raise Forbidden(permission=PERMISSION_NAMES[register.writing], unit=actor.unit_key)


def require_keeper(actor: Actor, register: Register) -> None:
    """Raises Forbidden unless the actor writes about others too."""
    if not may_write(actor, register):
        raise Forbidden(permission=PERMISSION_NAMES[register.writing], unit=actor.unit_key)


def check_write(actor: Actor, register: Register, subject_id: str, place_path: str) -> bool:
    """Whether the actor writes about this subject only as themselves. Raises NotFound for who is none of theirs: nobody learns who is there."""
    if may_write(actor, register) and covers(actor.unit_path, place_path):
        return False
    if may_write_own(actor, register) and subject_id == actor.person_id:
        return True
    raise NotFound(what="登记", key=subject_id)


def reach(actor: Actor, registers: list[Register], table) -> ColumnElement[bool]:
    """SQL: the entries of these registers that the actor may read; `table` has register, place_path and subject_id."""
    whole = [register.key for register in registers if may_read(actor, register)]
    own = [register.key for register in registers if register.about == PERSON and may(actor, "register:own")]
    inside = lies_in(table.place_path, actor.unit_path)
    mine = table.register.in_(own) & (table.subject_id == actor.person_id)
    return (table.register.in_(whole) & inside) | mine if whole else mine


def _may_look_inside(actor: Actor, register: Register) -> bool:
    return register.about == CLIENT or not register.inner or may(actor, "register:watch")
