"""Completing the facts of a check with what the tables ask for and the check has not at hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from engine.facts.needs import Tree
from engine.organisation import Actor
from engine.system import System


@dataclass
class Asked:
    """Whom and what a check is about: what providers start from. `open_session` is called only if one needs it: most read rows by prepared
    statements over the bare `connection`.

    `tags`, `since`: of the task, and when it was offered, for what belongs to it; `period`: first and last day of what has ended.
    """

    system: System
    open_session: Callable[[], Session]
    now: datetime
    parameters: Mapping[str, Any]
    person: Actor | None = None
    instance_id: str | None = None
    client_id: str | None = None
    unit_id: str | None = None
    tags: frozenset[str] = frozenset()
    since: datetime | None = None
    period: tuple[date, date] | None = None
    open_connection: Callable[[], Connection] | None = None

    @cached_property
    def connection(self) -> Connection:
        """The connection of the command's transaction, or of the page's session."""
        return self.open_connection() if self.open_connection else self.session.connection()

    @cached_property
    def session(self) -> Session:
        """The session of the command or page."""
        return self.open_session()

    @property
    def today(self) -> date:
        """The day in the county."""
        return self.now.astimezone(self.system.zone).date()


@dataclass(frozen=True)
class Source:
    """Where some facts of a root come from: `fetch(asked, names)` answers those of `names` that it can find out, as FEEL values."""

    names: frozenset[str]
    fetch: Callable[[Asked, frozenset[str]], dict[str, Any]]


def gather(facts: dict[str, Any], tree: Tree, asked: Asked, sources: Mapping[str, tuple[Source, ...]]) -> dict[str, Any]:
    """The facts with whatever `tree` names besides; what a check has brought itself is not asked again."""
    for root, known in sources.items():
        wanted = tree.get(root)
        if wanted is None:
            continue
        held = facts.get(root) or {}
        for source in known:
            names = source.names if not wanted else source.names & wanted.keys()
            names = names - held.keys()
            if names:
                held = held | source.fetch(asked, names)
        facts[root] = held
    return facts
