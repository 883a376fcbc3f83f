"""A process that dies at a chosen point of a command: before or after a statement, at the commit, at a line of ours. By SIGKILL, so that
nothing is tidied up: no `finally`, no rollback, no closing of files."""

import multiprocessing
import os
import signal
import sys
from datetime import datetime
from pathlib import Path

from sqlalchemy import event

import engine
from tests.faults.people import attempt
from tests.support.counties import County

OURS = str(Path(engine.__path__[0]))
BEFORE, AFTER, LINE = "before statement", "after statement", "line"


class Point:
    """Counts what happens, and dies when the count of one kind is reached; without one it only counts."""

    def __init__(self, death: tuple[str, int] | None):
        """`death`: (BEFORE, AFTER or LINE, the count at which to die; LINE and 0 only counts lines)."""
        self.death = death
        self.counted = {BEFORE: 0, AFTER: 0, LINE: 0}

    def reached(self, kind: str) -> None:
        """One more."""
        self.counted[kind] += 1
        if self.death == (kind, self.counted[kind]):
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, county: County) -> None:
        """Be called at every line of the engine, if lines matter; else at every statement, BEGIN and COMMIT included. Not both: where
        somebody listens to statements, those of the daily path go another way (engine/prepared.py)."""
        if self.death is not None and self.death[0] == LINE:
            sys.settrace(self._trace)
            return
        database, dialect = county.system.database.engine, county.system.database.engine.dialect
        event.listen(database, "before_cursor_execute", lambda *_: self.reached(BEFORE))
        event.listen(database, "after_cursor_execute", lambda *_: self.reached(AFTER))
        commit = dialect.do_commit

        def do_commit(connection) -> None:
            self.reached(BEFORE)
            commit(connection)
            self.reached(AFTER)

        dialect.do_commit = do_commit

    def _trace(self, frame, what, _argument):
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        if what == "line":
            self.reached(LINE)
        return self._trace


def _live(url: str, pipe) -> None:
    """Fork a child for every act, from a process that has compiled everything and holds no connection."""
    warm = County(url)
    while (job := pipe.recv()) is not None:
        who, what, arguments, now, options, death = job
        county = County(url)
        county.system.compiled.update(warm.system.compiled)
        county.act(who)
        county.system.database.dispose()
        child = os.fork()
        if child == 0:
            try:
                point = Point(death)
                point.watch(county)
                answer = attempt(county, who, what, *arguments, now=now, **options)
                sys.settrace(None)
                pipe.send((answer, point.counted))
            finally:
                os._exit(0)
        status = os.waitpid(child, 0)[1]
        if os.WIFSIGNALED(status):
            pipe.send((None, os.WTERMSIG(status)))
        if death is None or not death[1]:
            attempt(warm, who, what, *arguments, now=now, **options)  # a repetition or a refusal: either compiles
            warm.system.database.dispose()
        pipe.send("ready")


class Mortal:
    """`with Mortal(url) as mortal: mortal(now, who, what, arguments, options, death)`."""

    def __init__(self, url: str):
        """A process over the database at `url`."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_live, args=(url, theirs), daemon=True)
        self._process.start()

    def __enter__(self) -> "Mortal":
        return self

    def __exit__(self, *_exception) -> None:
        if self._process.is_alive():
            self._pipe.send(None)
        self._process.join(10)
        self._process.kill()

    def __call__(self, now: datetime, who: str, what: str, arguments: tuple, options: dict, death: tuple[str, int] | None = None):
        """What came of it: (outcome, how often each kind of point was reached), or (None, the signal it died of)."""
        self._pipe.send((who, what, arguments, now, options, death))
        outcome = self._next()
        # Only now is it done with the repetition, which would carry out what the test prepares next.
        assert self._next() == "ready"
        return outcome

    def _next(self):
        assert self._pipe.poll(120), "it never came back"
        return self._pipe.recv()
