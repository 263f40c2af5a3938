"""Runs a command and measures the cost of all its processes. Linux only, because it reads ``/proc``."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import tempfile
import time
from bisect import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
SAMPLE_S = 0.1
MEMORY_SHARE = 1 / 30  # Share of the time for measuring memory, because counting the pages of a large process is slow.
STOP_TRIES = 500
PR_SET_CHILD_SUBREAPER = 36


@dataclass
class Run:
    """The outcome of a command."""

    returncode: int
    began: float
    """``time.monotonic()`` before the start."""
    ended: float
    output: str
    """The end of its stdout and stderr."""
    stdout: str
    peak_memory_mb: float
    """Of all processes together. Shared pages count once, if the system reports them."""
    cpu: list[tuple[float, float]] = field(repr=False)
    """Times, each with the processor seconds of all processes until then."""

    def cpu_until(self, when: float) -> float:
        """Processor seconds until a time, interpolated linearly between samples."""
        after = bisect([time for time, _ in self.cpu], when)
        if after == 0:
            return self.cpu[0][1]
        if after == len(self.cpu):
            return self.cpu[-1][1]
        (t0, c0), (t1, c1) = self.cpu[after - 1], self.cpu[after]
        return c0 + (c1 - c0) * (when - t0) / (t1 - t0)


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    nice: int,
    timeout_s: float,
    spare: set[int],
) -> Run:
    """Runs a command in a folder until it ends. ``spare`` are children of this process that do not belong to it."""
    adopt_orphans()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            preexec_fn=hurried(nice),
        )
        watch = Watch(process.pid, spare, began)
        while watch.returncode is None:
            time.sleep(SAMPLE_S / 4 if time.monotonic() - began < 1 else SAMPLE_S)
            watch.sample()
            if time.monotonic() - began > timeout_s:
                stop(watch)
        process.returncode = watch.returncode
        ended = time.monotonic()
        stop(watch)  # A tool may leave processes running, and their cost would count for the next tool.
        out.seek(0)
        err.seek(0)
        stdout = out.read().decode(errors="replace")
        output = (stdout + err.read().decode(errors="replace"))[-4_000:]
    return Run(watch.returncode, began, ended, output, stdout, watch.peak_memory / 1e6, watch.cpu)


class Watch:
    """Sums the costs of a command's processes."""

    def __init__(self, root: int, spare: set[int], began: float) -> None:
        self.root, self.spare = root, spare
        self.returncode: int | None = None
        self.cpu = [(began, 0.0)]
        self.peak_memory = 0.0
        self.reaped_s = 0.0
        self.next_memory = 0.0

    def sample(self) -> None:
        """Takes one sample."""
        if self.returncode is None:
            self.returncode = self.reap(self.root)
        tree = list(self.tree())
        now = time.monotonic()
        total = self.reaped_s + sum(seconds for _, _, seconds in tree)
        self.cpu.append((now, max(total, self.cpu[-1][1])))
        if now >= self.next_memory and tree:
            self.peak_memory = max(self.peak_memory, sum(memory_of(pid) for pid, _, _ in tree))
            spent = time.monotonic() - now
            self.next_memory = now + max(2 * SAMPLE_S, spent / MEMORY_SHARE)
        for pid, parent, _ in tree:
            if parent == os.getpid() and pid != self.root:
                self.reap(pid)  # Its parent has ended, so this process adopted it and must reap it.

    def reap(self, pid: int) -> int | None:
        """Adds the processor time of an ended child and returns its exit status."""
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if not ended:
            return None
        self.reaped_s += usage.ru_utime + usage.ru_stime
        return os.waitstatus_to_exitcode(status)

    def tree(self) -> Iterable[tuple[int, int, float]]:
        """Each process of the command: id, parent, and processor seconds with those of its ended children."""
        children: dict[int, list[tuple[int, int, float]]] = {}
        for process in processes():
            children.setdefault(process[1], []).append(process)
        waiting = [child for child in children.get(os.getpid(), []) if child[0] not in self.spare]
        while waiting:
            process = waiting.pop()
            yield process
            waiting.extend(children.get(process[0], []))


def processes() -> Iterable[tuple[int, int, float]]:
    """Id, parent and processor seconds of every process of the system."""
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            stat = Path("/proc", name, "stat").read_text(errors="replace")
        except OSError:
            continue  # The process has just ended.
        fields = stat.rpartition(")")[2].split()
        yield int(name), int(fields[1]), sum(map(int, fields[11:15])) / TICKS_PER_S


def memory_of(pid: int) -> float:
    """Bytes of memory. Processes that share a page count equal parts of it; without that, all resident pages count."""
    for file, key in ((f"/proc/{pid}/smaps_rollup", "Pss:"), (f"/proc/{pid}/status", "VmRSS:")):
        try:
            for line in Path(file).read_text().splitlines():
                if line.startswith(key):
                    return int(line.split()[1]) * 1024.0
        except OSError:
            continue
    return 0.0


def hurried(nice: int) -> Callable[[], None]:
    """Sets the priority of a new process in a session of its own, if the system allows it."""

    def set_priority() -> None:
        with suppress(OSError):
            os.nice(nice)
        # If the system divides the processors between sessions, a process's priority counts only within its session.
        # This sets the priority of the session.
        with suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(nice))

    return set_priority


def adopt_orphans() -> None:
    """Adopts children whose parent has ended, so that their cost is counted."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def stop(watch: Watch) -> None:
    """Kills the remaining processes of a command and waits for their end."""
    for _ in range(STOP_TRIES):
        left = list(watch.tree())
        if not left:
            return
        for pid, parent, _ in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            if parent == os.getpid():
                status = watch.reap(pid)
                if pid == watch.root:
                    watch.returncode = status
        time.sleep(SAMPLE_S / 10)
