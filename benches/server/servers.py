"""Starts and stops the services and reads their costs. Linux only, because it reads ``/proc``."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType

HERE = Path(__file__).resolve().parent
KEY = "the-key-of-the-benchmark"
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
START_S = 60.0
STOP_S = 30.0


@dataclass(frozen=True)
class Kind:
    """A service under comparison."""

    name: str
    command: Callable[[int, Path, str], list[str]]
    """The command that starts it, from port, store and durability."""
    rows: str
    """The query that counts its stored records."""
    log: str = "/api/log"
    """The path that accepts a request."""


def ours(binary: Path) -> Kind:
    """``llmscope serve``."""
    return Kind(
        "llmscope",
        lambda port, store, durability: [
            *(str(binary), "serve", "--address", f"127.0.0.1:{port}", "--database", str(store)),
            *("--durability", durability),
        ],
        "SELECT count(*) FROM records",
    )


def peers(python: Path) -> list[Kind]:
    """``peer.py`` under uvicorn: with a handler on a thread, as in the previous service, and with one without."""
    threads = Kind(
        "FastAPI",
        lambda port, _store, _durability: [
            *(str(python), "-m", "uvicorn", "peer:app", "--app-dir", str(HERE), "--port", str(port)),
            *("--no-access-log", "--log-level", "warning"),
        ],
        "SELECT count(*) FROM requests",
    )
    return [threads, replace(threads, name="FastAPI, async def", log="/inline/api/log")]


class Server:
    """A running service, from its start until the block ends."""

    def __init__(self, kind: Kind, store: Path, durability: str) -> None:
        self.kind, self.store = kind, store
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            self.port = free.getsockname()[1]
        environment = {"LLMSCOPE_API_KEY": KEY, "DATABASE_PATH": str(store), "SYNCHRONOUS": durability.upper()}
        self.output = store.with_name(f"{store.name}.output").open("w+b")
        began = time.monotonic()
        self.process = subprocess.Popen(
            kind.command(self.port, store, durability),
            env={**os.environ, **environment, "LLMSCOPE_LOG": "warn"},
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self.await_ready(began)
        except BaseException:
            self.kill()
            raise
        self.start_s = time.monotonic() - began

    def await_ready(self, began: float) -> None:
        """Requests ``/ready`` until the answer is 200."""
        while time.monotonic() - began < START_S:
            with suppress(OSError, HTTPException), closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as asking:
                asking.request("GET", "/ready")
                if asking.getresponse().status == 200:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.002)
        self.output.seek(0)
        message = self.output.read().decode(errors="replace")
        raise RuntimeError(f"{self.kind.name} did not start: {message[-500:]}")

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Sends SIGTERM and waits for the end."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_S)
        self.kill()

    def kill(self) -> None:
        """Kills it like a crash, with all its child processes."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.output.close()

    def cpu_s(self) -> float:
        """Its processor seconds so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def memory_mb(self) -> float:
        """Its resident memory now."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next((float(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0.0) / 1024

    def rows(self) -> int:
        """The number of records in its store."""
        return count_rows(self.kind, self.store)


def count_rows(kind: Kind, store: Path) -> int:
    """The number of records in a store, read over a separate connection."""
    with closing(sqlite3.connect(store, timeout=30)) as connection:
        count: int = connection.execute(kind.rows).fetchone()[0]
        return count


def busy_s() -> float:
    """Processor seconds that the whole machine was busy, including the time that its host took away."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS_PER_S
