"""Ends what a killed supervisor leaves behind. Run as a bare script: it imports next to nothing and outlives its parent.

Standard input is a pipe from the supervisor. Each line names the process groups that live now; when the pipe closes
before a line says `done`, the supervisor was killed, and the groups named last are ended.
"""

import contextlib
import os
import signal
import sys
import time


def main(grace: float) -> None:
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)
    last = ""
    for line in sys.stdin:
        last = line.strip()
    if last != "done":
        end([int(group) for group in last.split()], grace)


def end(groups: list[int], grace: float) -> None:
    """The kernel has already told each leader to stop. When one has, or has not in time, its group is killed."""
    until = time.monotonic() + grace
    while groups:
        waiting = [group for group in groups if leader_lives(group) and time.monotonic() < until]
        for group in set(groups) - set(waiting):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        groups = waiting
        time.sleep(0.05)


def leader_lives(group: int) -> bool:
    try:
        with open(f"/proc/{group}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


if __name__ == "__main__":
    main(float(sys.argv[1]))
