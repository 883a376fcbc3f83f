"""Parties of a case: people whose data inside the case is sealed under keys of their own, so that one can be erased without the others.

A form's list with the property `party: new` makes a party of each entry; a group with `party: <variable>` belongs to the party that the
variable holds. Such contexts carry `partyId`. Wherever a case is written down (state, events) each of them is replaced by a capsule sealed
under its party's key, whatever variable it has been copied to; wherever a case is read the capsules are opened again. When a party's key
has been destroyed (个人信息保护法 47) the context stays with what says nothing of the person, and its texts read ERASED.

What people write about a party in texts of the case itself (a claim, a transcript) belongs to the case and its key.
"""

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.forms import Form
from engine.vault import SubjectKey, Vault

ID = "partyId"
OPEN = (ID, "role")  # what stays readable after an erasure
ERASED = "已按规定删除"
_SEALED = "$party"  # no context encoded by FEEL has such a key: one that begins with `$` gets a second
NEW = "new"  # the property's value that makes parties


def subject(instance_id: str, party: str) -> str:
    """The name of a party's key, and of the stream that tells of it."""
    return f"party/{instance_id}/{party}"


class Parties:
    """The parties of one case with their keys, by id ("1", "2", …)."""

    def __init__(self, vault: Vault, instance_id: str, count: int = 0, keys: Mapping[str, SubjectKey] | None = None):
        """`count`: how many there are; `keys`: by party."""
        self.vault, self.instance_id, self.count = vault, instance_id, count
        self.keys: dict[str, SubjectKey] = dict(keys or {})

    @classmethod
    def load(cls, vault: Vault, session: Session, instance_id: str, count: int) -> "Parties":
        """The first `count` parties of a case; one whose key is not there reads as erased."""
        parties = [str(number + 1) for number in range(count)]
        wanted = {subject(instance_id, party): party for party in parties}
        rows = session.scalars(select(SubjectKey).where(SubjectKey.subject.in_(wanted))) if wanted else ()
        return cls(vault, instance_id, count, {wanted[key.subject]: key for key in rows})

    @classmethod
    def of(cls, vault: Vault, session: Session, instance_id: str, json: Any) -> "Parties":
        """The parties of a case that something written down tells of; nothing is read where it tells of none."""
        found: set[str] = set()
        _each(json, lambda context: _SEALED in context, lambda capsule: found.add(capsule[ID]))
        wanted = {subject(instance_id, party): party for party in found}
        rows = session.scalars(select(SubjectKey).where(SubjectKey.subject.in_(wanted))) if wanted else ()
        return cls(vault, instance_id, len(found), {wanted[key.subject]: key for key in rows})

    def add(self, session: Session, county_id: str, now: datetime) -> str:
        """A new party with a key of its own; answers its id."""
        self.count += 1
        party = str(self.count)
        self.keys[party] = self.vault.new_key(session, county_id, subject(self.instance_id, party), now)
        return party

    def erased(self, party: str) -> bool:
        """Whether nothing of a party can be read any more."""
        return party not in self.keys or not self.keys[party].wrapped

    @property
    def is_any_erased(self) -> bool:
        """Whether nothing of one of them can be read any more."""
        return sum(bool(key.wrapped) for key in self.keys.values()) < self.count

    def protect(self, json: Any) -> Any:
        """FEEL's tagged JSON with every party's context sealed under the party's key."""
        return _each(json, lambda found: ID in found, self._protect)

    def reveal(self, json: Any) -> Any:
        """What `protect` was given; of erased parties, what is left."""
        return _each(json, lambda found: _SEALED in found, self._reveal)

    def _protect(self, context: dict) -> dict:
        party = context[ID]
        if party not in self.keys:  # no party of this case: a name that somebody's form happens to use
            return context
        left = {name: context[name] for name in OPEN if name in context}
        own = {name: value for name, value in context.items() if name not in left}
        texts = sorted(name for name, value in own.items() if isinstance(value, str))
        if self.erased(party):
            return left | dict.fromkeys(own) | dict.fromkeys(texts, ERASED)
        sealed = self.vault.seal(self.keys[party], own, self._place(party))
        return left | {_SEALED: {"texts": texts, "sealed": base64.b64encode(sealed).decode()}}

    def _reveal(self, capsule: dict) -> dict:
        left = {name: value for name, value in capsule.items() if name != _SEALED}
        party, inside = capsule[ID], capsule[_SEALED]
        if self.erased(party):
            return left | dict.fromkeys(inside["texts"], ERASED)
        return left | self.vault.open(self.keys[party], base64.b64decode(inside["sealed"]), self._place(party))

    def _place(self, party: str) -> str:
        """Where a party's contexts are sealed."""
        return f"party:{self.instance_id}:{party}"


def stamp(form: Form, answers: dict, known: Mapping, add: Callable[[], str]) -> dict:
    """`answers` of a form with their parties' ids. `known`: the variables of the case; `add` makes a party and answers its id.

    An entry of the same name as one that was there before is the same party.
    """
    for component in form.fields:
        rule, path = component.attributes.get("party"), component.attributes.get("party_path")
        if not rule or path not in answers:
            continue
        if component.kind == "dynamiclist" and rule == NEW:
            listed = known.get(path)
            before = [entry for entry in listed if isinstance(entry, dict) and ID in entry] if isinstance(listed, list) else []
            answers[path] = [{ID: entry.get(ID) or _same(entry, before) or add()} | entry for entry in answers[path]]
        elif component.kind == "group" and isinstance(known.get(rule), dict) and ID in known[rule]:
            answers[path] = answers[path] | {ID: known[rule][ID]}
    return answers


def of_others(form: Form, known: Mapping) -> set[str]:
    """Variables that hold what an earlier answer to a group of this form said of another party: nothing of it may go on into this one's."""
    found = set()
    for component in form.fields:
        rule, path = component.attributes.get("party"), component.attributes.get("party_path")
        if component.kind == "group" and rule and all(isinstance(known.get(name), dict) for name in (rule, path)):
            if known[path].get(ID) != known[rule].get(ID):
                found.add(path)
    return found


def listed(variables: Mapping) -> dict[str, dict]:
    """The parties among a case's variables, by id: entries of lists that carry one and a name."""
    found: dict[str, dict] = {}
    for value in variables.values():
        for entry in value if isinstance(value, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get(ID), str) and "name" in entry:
                found.setdefault(entry[ID], entry)
    return found


def _same(entry: dict, before: list[dict]) -> str | None:
    """The id of the party of an entry's name; each is given once."""
    for old in before:
        if old.get("name") is not None and old["name"] == entry.get("name") != ERASED:
            before.remove(old)
            return old[ID]
    return None


def _each(json: Any, wanted: Callable[[dict], bool], change: Callable[[dict], dict]) -> Any:
    """`json` with `change` applied to every object that is `wanted`, the outermost only."""
    if isinstance(json, dict):
        if wanted(json) and isinstance(json.get(ID), str):
            return change(json)
        return {name: _each(value, wanted, change) for name, value in json.items()}
    return [_each(value, wanted, change) for value in json] if isinstance(json, list) else json

