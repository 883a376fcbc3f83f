"""Keeps a handful of child processes alive, and takes them all down with itself.

One thread, no polling: every signal of interest is blocked and then waited for. Children run in process groups of their
own, so that Ctrl-C reaches only the supervisor, and what a killed child leaves behind can be swept up. Should the
supervisor itself be killed, the kernel tells the children, and a guardian process sees that they and theirs really end.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Whoever starts us and wants us to stop when it is killed puts its process id here (the Makefile does).
PARENT = "SHUIBO_PARENT"

FIRST_DELAY = 0.5
LONGEST_DELAY = 15.0
# A child that lived this long is healthy: its next crash is answered without delay again.
HEALTHY_AFTER = 5.0
# A child that never once got healthy is not going to: give up after so many starts.
FIRST_STARTS = 4
# How long children may take to finish what they are doing before they are killed.
GRACE = 15.0

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int, signum: int = signal.SIGTERM) -> None:
    """Have the kernel send this process `signum` when `parent` ends, even by SIGKILL. Lasts across exec, not across fork."""
    if _libc.prctl(_PR_SET_PDEATHSIG, int(signum), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it ended before the kernel was told
        os.kill(os.getpid(), signum)


def follow_parent(env: Mapping[str, str]) -> None:
    """Stop when the process named in the environment stops. Call as early as possible; calling again does no harm."""
    if parent := env.get(PARENT):
        die_with_parent(int(parent))


@dataclass
class Child:
    """One command and what became of it."""

    command: Sequence[str]
    process: subprocess.Popen | None = None
    started: float = 0.0
    starts: int = 0
    crashes: int = 0
    was_healthy: bool = False
    due: float | None = 0.0

    @property
    def name(self) -> str:
        return " ".join(os.path.basename(part) for part in self.command[:3])

    def start(self, env: Mapping[str, str], prepare: Callable[[], None]) -> None:
        self.process = subprocess.Popen(self.command, env=env, stdin=subprocess.DEVNULL, process_group=0, preexec_fn=prepare)
        self.started = time.monotonic()
        self.starts += 1
        self.due = None

    def signal(self, signum: int) -> None:
        """Tell the child alone: gunicorn's arbiter stops its own workers in its own way."""
        if self.process is not None:
            os.kill(self.process.pid, signum)

    def ended(self) -> int | None:
        """The exit code if the child has ended; its whole group is then gone, and its id free."""
        if self.process is None or os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        # Not reaped yet, so the group's id cannot have passed to a stranger.
        self.kill()
        code = self.process.wait()
        self.process = None
        return code

    def kill(self) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)

    def judge(self) -> None:
        """After an end: when to start again."""
        if time.monotonic() - self.started >= HEALTHY_AFTER:
            self.was_healthy, self.crashes = True, 0
        delay = min(FIRST_DELAY * 2**self.crashes, LONGEST_DELAY)
        self.crashes += 1
        self.due = time.monotonic() + delay

    @property
    def hopeless(self) -> bool:
        return not self.was_healthy and self.starts >= FIRST_STARTS


def serve(commands: list[list[str]], env: Mapping[str, str] | None = None) -> int:
    """Run the commands until SIGTERM, SIGINT or SIGHUP; start again what ends by itself. Returns the exit code.

    Must be called from the main thread of a process that has no other children.
    """
    env = {"PYTHONUNBUFFERED": "1", **(os.environ if env is None else env)}
    stops = {signal.SIGTERM, signal.SIGINT}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup asks us to stay
        stops.add(signal.SIGHUP)
    awaited = stops | {signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    children = [Child(command) for command in commands]
    own = os.getpid()
    guardian = _start_guardian()

    def prepare() -> None:
        """Between fork and exec."""
        die_with_parent(own)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    try:
        follow_parent(env)
        env.pop(PARENT, None)
        while True:
            for child in children:
                code = child.ended()
                if code is not None:
                    child.judge()
                    _say(f"{child.name} 意外退出 · ended unexpectedly ({_describe(code)})")
                    if child.hopeless:
                        _say(f"{child.name} 无法启动，全部停止 · does not start, stopping everything")
                        return code if code > 0 else 1
                if child.due is not None and child.due <= time.monotonic():
                    child.start(env, prepare)
            _inform(guardian, " ".join(str(child.process.pid) for child in children if child.process is not None))
            due = [child.due for child in children if child.due is not None]
            if _wait(awaited, min(due) if due else None) in stops:
                return 0
    finally:
        # A second signal means: now.
        _stop(children, awaited)
        _inform(guardian, "done")
        guardian.stdin.close()
        guardian.wait()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait(awaited: set[signal.Signals], until: float | None) -> int | None:
    """The next signal, or nothing once the time has come."""
    if until is None:
        return signal.sigwaitinfo(awaited).si_signo
    info = signal.sigtimedwait(awaited, max(0.0, until - time.monotonic()))
    return info.si_signo if info else None


def _start_guardian() -> subprocess.Popen:
    script = str(Path(__file__).with_name("guardian.py"))
    return subprocess.Popen(
        [sys.executable, "-ISE", script, str(GRACE)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True
    )


def _inform(guardian: subprocess.Popen, line: str) -> None:
    with contextlib.suppress(BrokenPipeError):  # somebody killed it; the kernel's signal must do
        print(line, file=guardian.stdin, flush=True)


def _stop(children: list[Child], awaited: set[signal.Signals]) -> None:
    for child in children:
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while True:
        for child in children:
            child.ended()
        if all(child.process is None for child in children):
            return
        signum = _wait(awaited, deadline)
        if signum != signal.SIGCHLD:
            for child in children:
                child.kill()
            deadline = time.monotonic() + GRACE


def _describe(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit {code}"


def _say(text: str) -> None:
    print(f"shuibo: {text}", file=sys.stderr, flush=True)
