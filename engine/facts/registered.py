"""What the registers say about who acts, where they act and whom they serve: `person.certificates`, `unit.insurances`, `client.visits`.

One statement for each of the three, however many of their registers the tables ask for, and none where they ask for none.
"""

from collections.abc import Callable
from typing import Any

from engine.facts.gathering import Asked, Source
from engine.registers import entries
from engine.registers.catalogue import REGISTERS
from engine.registers.declaring import CLIENT, PERSON, UNIT


def source(about: str, subject_of: Callable[[Asked], str | None]) -> Source:
    """The registers about people, units or clients, of the one that `subject_of` names.

    Each is a list of contexts {id, since, until, in_force, …fields}, the earliest first. Where a check is about nobody, nothing is known
    of them: null, which is not the same as an empty list.
    """

    def fetch(asked: Asked, names: frozenset[str]) -> dict[str, Any]:
        subject = subject_of(asked)
        if subject is None:
            return {}
        return entries.of_subject(asked.connection, asked.system.vault, names, subject, asked.today, asked.system.zone)

    return Source(frozenset(key for key, register in REGISTERS.items() if register.about == about), fetch)


OF_PERSON = source(PERSON, lambda asked: asked.person.person_id if asked.person else None)
OF_UNIT = source(UNIT, lambda asked: asked.unit_id)
OF_CLIENT = source(CLIENT, lambda asked: asked.client_id)
