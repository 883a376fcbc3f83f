"""What the API answers about registers (see `webapp.api.answers`)."""

import marshmallow as ma

from engine.registers import declaring
from engine.registers.entries import STATES
from webapp.api.answers import Answer, list_of, maybe, moment, one_of, page, text

TYPES = ["text", "number", "date", "time", "datetime", "choice", "choices", "boolean", "instance", "person"]


def count():
    """A number of things."""
    return ma.fields.Int(required=True)


class Word(Answer):
    """One of the words that a field may hold."""

    key = text()
    name = text()


class DeclaredField(Answer):
    """A field of a register."""

    key = text()
    name = text()
    type = one_of(TYPES)
    required = ma.fields.Bool(required=True)
    choices = list_of(Word)


class DeclaredRegister(Answer):
    """A register and how much there is of it at one's place."""

    key = text()
    name = text()
    about = one_of([declaring.PERSON, declaring.UNIT, declaring.CLIENT])
    columns = list_of(DeclaredField)
    writable = ma.fields.Bool(required=True)
    open = count()
    lapsing = ma.fields.Int(required=True, metadata={"description": "within 30 days"})
    lapsed = count()


class Registers(Answer):
    """Every register that one may open."""

    items = list_of(DeclaredRegister)


class Whom(Answer):
    """Whom an entry is about; without a name once they were erased."""

    id = text()
    name = maybe()


class Entry(Answer):
    """One entry. `values` by the register's fields, people and cases by id; what is sealed is missing once erased."""

    id = text()
    register = text()
    subject = ma.fields.Nested(Whom, required=True)
    place = text(metadata={"description": "key of a unit"})
    values = ma.fields.Dict(keys=ma.fields.Str(), required=True)
    since = ma.fields.Date(required=True, allow_none=True)
    until = ma.fields.Date(required=True, allow_none=True)
    state = one_of(STATES)
    added_at = moment()
    ended_at = ma.fields.DateTime(required=True, allow_none=True)
    ended_because = maybe()
    version = count()


EntryPage = page(Entry, "Entries")


class EntryChanged(Answer):
    """An entry that was written."""

    id = text()
    version = count()


class Imported(Answer):
    """What a file did, or would do."""

    added = count()
    skipped = count()


class Vacancy(Answer):
    """One kind of people at one station. `entered`: `required` comes from the register, else from the parameters."""

    station = text(metadata={"description": "key of a unit"})
    name = text()
    workforce = text()
    required = count()
    held = count()
    vacant = count()
    entered = ma.fields.Bool(required=True)


class Vacancies(Answer):
    """By station."""

    items = list_of(Vacancy)
