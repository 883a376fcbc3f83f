"""The search tokens of everybody: written anew, and compared with what they should be.

They are made from sealed data and are no guarded rows: an event that named their hashes would tell who bears the same name. So a verification
that has the master key computes them again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine import clients, names, organisation
from engine.clients import Client, ClientIndex
from engine.exceptions import SealBroken
from engine.organisation import Person, PersonIndex
from engine.vault import SubjectKey, Vault

BATCH = 500
Progress = Callable[[str, int, int], None]


def rewrite(session: Session, vault: Vault, progress: Progress = lambda *_: None) -> int:
    """Make every token anew from what is sealed, as a restore needs it, or a version that finds people by more; answers of how many people."""
    done = 0
    session.execute(delete(PersonIndex))
    for batch, _total in _living(session, Person):
        for person, key in batch:
            organisation.index_person(session, vault, person.county_id, person.id, _name(vault, person, key))
        done += len(batch)
    for batch, total in _living(session, Client):
        for client, key in batch:
            clients.index(session, vault, client, vault.open(key, client.sealed, client.place))
        session.flush()
        session.expunge_all()
        done += len(batch)
        progress("检索 · search", min(done, total), total)
    return done


def differing(session: Session, vault: Vault) -> Iterator[str]:
    """`client/<id>` and `person/<id>` of whom the tokens are not those that `rewrite` would write, or who was erased and still has some."""
    yield from _compare(session, Client, ClientIndex, ClientIndex.client_id, lambda *row: _of_client(session, vault, *row))
    yield from _compare(session, Person, PersonIndex, PersonIndex.person_id, lambda *row: _of_person(vault, *row))


def _compare(session: Session, model, index, owner, due: Callable) -> Iterator[str]:
    kept = [column for column in index.__table__.c if column.name not in ("county_id", owner.key)]
    for batch, _total in _living(session, model):
        found = defaultdict(set)
        for whose, *token in session.execute(select(owner, *kept).where(owner.in_([row.id for row, _key in batch]))):
            found[whose].add(tuple(token))
        for row, key in batch:
            try:
                if found[row.id] != due(row, key):
                    yield f"{model.__tablename__}/{row.id}"
            except SealBroken:
                continue  # the row or its key was changed: a fault of its own
        session.expunge_all()
    living = select(model.id).join(SubjectKey, SubjectKey.id == model.key_id).where(SubjectKey.destroyed_at.is_(None))
    for whose in session.scalars(select(owner).where(owner.not_in(living)).distinct()):
        yield f"{model.__tablename__}/{whose}"


def _of_client(session: Session, vault: Vault, client: Client, key: SubjectKey) -> set[tuple]:
    tokens = clients.search_tokens(session, vault, client, vault.open(key, client.sealed, client.place))
    return {(token, client.station_id, client.unit_id) for token in tokens}


def _of_person(vault: Vault, person: Person, key: SubjectKey) -> set[tuple]:
    return {(token,) for token in names.keyed(vault, person.county_id, "person", names.tokens(_name(vault, person, key)))}


def _name(vault: Vault, person: Person, key: SubjectKey) -> str:
    return vault.open(key, person.sealed_name, Person.place(person.id))


def _living(session: Session, model) -> Iterator[tuple[list, int]]:
    """(rows with their keys, how many there are in all) of those who were not erased, some hundred at a time."""
    joined = select(model, SubjectKey).join(SubjectKey, SubjectKey.id == model.key_id)
    ids = list(session.scalars(joined.with_only_columns(model.id).where(SubjectKey.destroyed_at.is_(None)).order_by(model.id)))
    for start in range(0, len(ids), BATCH):
        yield session.execute(joined.where(model.id.in_(ids[start : start + BATCH]))).all(), len(ids)
