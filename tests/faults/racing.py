"""Two processes that do things at the same moment: each waits at a barrier, acts, and tells what came of it."""

import multiprocessing
import time
from datetime import datetime

from tests.faults.people import attempt
from tests.support.counties import County


def _race(url: str, barrier, pipe) -> None:
    """A racer's life: take what is to be done, meet the other at the line, do it, tell."""
    county = County(url)
    while (act := pipe.recv()) is not None:
        who, what, arguments, now, options = act
        county.act(who)
        delay = options.pop("delay", 0)
        barrier.wait(60)
        time.sleep(delay)
        try:
            pipe.send(attempt(county, who, what, *arguments, now=now, **options))
        except Exception as error:  # told, not lost: the test fails on it
            pipe.send({"error": type(error).__name__, "message": str(error)})
    county.system.database.dispose()


class Racers:
    """`with Racers(url) as racers: racers(now, one, other)`; an act is (who, what, arguments) or (who, what, arguments, options).

    The options are the command's, and `delay`: seconds that this one lets the other go ahead."""

    def __init__(self, url: str, number: int = 2):
        """`number` processes over the database at `url`."""
        context = multiprocessing.get_context("spawn")
        self._line = context.Barrier(number)  # kept, or it goes before the racers have taken it up
        self._pipes, self._processes = [], []
        for _ in range(number):
            ours, theirs = context.Pipe()
            process = context.Process(target=_race, args=(url, self._line, theirs), daemon=True)
            process.start()
            self._pipes.append(ours)
            self._processes.append(process)

    def __enter__(self) -> "Racers":
        return self

    def __exit__(self, *_exception) -> None:
        for pipe, process in zip(self._pipes, self._processes, strict=True):
            if process.is_alive():
                pipe.send(None)
            process.join(10)
            process.kill()

    def send(self, now: datetime, *acts: tuple) -> None:
        """Let them begin."""
        for pipe, (who, what, arguments, *options) in zip(self._pipes, acts, strict=True):
            pipe.send((who, what, arguments, now, *(options or [{}])))

    def receive(self) -> list[dict]:
        """What came of it, in the order of the acts."""
        answers = []
        for pipe in self._pipes:
            assert pipe.poll(120), "a racer never came back"
            answers.append(pipe.recv())
        return answers

    def __call__(self, now: datetime, *acts: tuple) -> list[dict]:
        """One race."""
        self.send(now, *acts)
        return self.receive()
