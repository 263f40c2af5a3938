"""The load on the services: posts by ``wrk``, single read calls, listeners."""

from __future__ import annotations

import json
import math
import os
import random
import selectors
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType

from servers import HERE, KEY, Server, busy_s

SCRIPT = HERE / "post.lua"
SOURCES = [("ollama", "gemma3:4b"), ("openai", "gpt-4o"), ("vllm", "llama-3.3-70b")]
AUTHORIZED = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}


@dataclass(frozen=True)
class Load:
    """The result of posts."""

    per_s: float
    """Successful requests a second."""
    p50_ms: float
    p99_ms: float
    answered: int
    refused: int
    cpu_us: float
    """The service's processor time for each request."""
    wrk_cpu: float
    """Processors that the load generator used."""
    others_cpu: float
    """Processors that other programs used."""
    memory_mb: float


def require_wrk() -> str:
    """The version of ``wrk``. A request costs it only a few microseconds, so it does not limit the result."""
    if not shutil.which("wrk"):
        sys.exit("wrk (the load generator) is not installed: `apt-get install wrk`, or https://github.com/wg/wrk")
    words = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout.split()
    return " ".join(words[:2])


def post(server: Server, path: str, bodies: Path, connections: int, seconds: int) -> Load:
    """Posts the lines of a file in turn. Each of ``connections`` connections waits for its answer."""
    url = f"http://127.0.0.1:{server.port}{path}"
    wrk = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(SCRIPT), url]
    busy, service, here = busy_s(), server.cpu_s(), time.process_time()
    process = subprocess.Popen([*wrk, "--", str(bodies), KEY], stdout=subprocess.PIPE, text=True)
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    busy, service, here = busy_s() - busy, server.cpu_s() - service, time.process_time() - here
    if process.returncode != 0:
        sys.exit(f"wrk failed with {process.returncode}: {output[-500:]}")
    result = json.loads(output.splitlines()[-1])
    if result["broken"]:
        print(f"{server.kind.name}: {result['broken']} connections broke or timed out", file=sys.stderr)
    own, wall_s = usage.ru_utime + usage.ru_stime, result["wall_s"]
    good = result["answered"] - result["refused"]
    return Load(
        per_s=good / wall_s,
        p50_ms=result["p50_ms"],
        p99_ms=result["p99_ms"],
        answered=good,
        refused=result["refused"],
        cpu_us=1e6 * service / max(1, good),
        wrk_cpu=own / wall_s,
        others_cpu=max(0.0, busy - own - service - here) / wall_s,
        memory_mb=server.memory_mb(),
    )


@dataclass(frozen=True)
class Served:
    """A request as an endpoint serves it."""

    provider: str
    model: str
    ttft_s: float
    tpot_s: float
    prompt: int
    tokens: int

    @property
    def e2e_s(self) -> float:
        """From the request to the end of its answer."""
        return self.ttft_s + self.tpot_s * self.tokens


def served(number: int) -> Iterator[Served]:
    """``number`` requests, always the same."""
    chance = random.Random(1)
    for index in range(number):
        ttft_s, tpot_s = math.exp(chance.gauss(-1.5, 0.2)), 0.012 * math.exp(chance.gauss(0.0, 0.05))
        yield Served(*SOURCES[index % 3], ttft_s, tpot_s, chance.randrange(16, 4096), chance.randrange(100, 140))


def write_entries(file: Path, number: int = 3000) -> None:
    """Bodies of ``POST /api/log``."""
    lines = [
        f'{{"provider":"{one.provider}","model":"{one.model}","latency":{one.e2e_s:.6f},"tokens_in":{one.prompt},'
        f'"tokens_out":{one.tokens},"cost":{1e-6 * one.tokens:.6f},"success":true,'
        '"endpoint":"/v1/chat/completions","metadata":{"run":"nightly"}}\n'
        for one in served(number)
    ]
    file.write_text("".join(lines))


def batches(number: int, size: int, until: float, span_s: float) -> Iterator[bytes]:
    """``number`` bodies of ``POST /api/v1/records`` with ``size`` requests each, spread over a period."""
    every = served(number * size)
    for batch in range(number):
        records = []
        for index in range(size):
            one = next(every)
            at = until - span_s * (1 - (batch * size + index) / (number * size))
            whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
            records.append(
                f'{{"started_at":"{whole}.{int(at % 1 * 1e6):06}Z","provider":"{one.provider}","model":"{one.model}",'
                f'"ttft_s":{one.ttft_s:.6f},"e2e_s":{one.e2e_s:.6f},"tpot_s":{one.tpot_s:.6f},'
                f'"input_tokens":{one.prompt},"output_tokens":{one.tokens}}}'
            )
        yield f'{{"records":[{",".join(records)}]}}'.encode()


def fill(server: Server, rows: int) -> None:
    """Sends a service ``rows`` requests of the last twenty hours."""
    size = 1000
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=120)) as connection:
        for body in batches(rows // size, size, time.time(), 20 * 3600.0):
            connection.request("POST", "/api/v1/records", body, AUTHORIZED)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status not in (200, 201):
                sys.exit(f"{server.kind.name} refused a batch with {answer.status}: {text[:300]!r}")


def ask(server: Server, path: str, times: int) -> tuple[list[float], int]:
    """Sends a read call several times. Returns the seconds of each answer and the bytes of the last one."""
    took, length = [], 0
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=300)) as connection:
        for _ in range(times + 1):
            began = time.perf_counter()
            connection.request("GET", path, headers=AUTHORIZED)
            answer = connection.getresponse()
            length = len(answer.read())
            took.append(time.perf_counter() - began)
            if answer.status != 200:
                sys.exit(f"{server.kind.name} answered {path} with {answer.status}")
    return took[1:], length  # The first call runs with cold caches.


class Posters:
    """Clients that count their acknowledged requests exactly. ``wrk`` does not wait for its last answers."""

    def __init__(self, server: Server, bodies: Sequence[str], clients: int, each: int) -> None:
        self.server, self.bodies, self.each = server, bodies, each
        self.counts = [0] * clients
        self.threads = [threading.Thread(target=self.run, args=(client,)) for client in range(clients)]
        for thread in self.threads:
            thread.start()

    def run(self, client: int) -> None:
        """Runs one client until it has posted enough or the service is gone."""
        with suppress(OSError, HTTPException), closing(HTTPConnection("127.0.0.1", self.server.port, timeout=60)) as to:
            for index in range(self.each):
                to.request("POST", self.server.kind.log, self.bodies[index % len(self.bodies)], AUTHORIZED)
                answer = to.getresponse()
                answer.read()
                self.counts[client] += answer.status == 200

    def acknowledged(self) -> int:
        """Waits for all clients and returns the number of acknowledged requests."""
        for thread in self.threads:
            thread.join()
        return sum(self.counts)


class Listeners:
    """Reads and discards the events of several connections."""

    def __init__(self, server: Server, number: int) -> None:
        self.bytes = 0
        self.events = 0
        self.lagged = 0
        self.ending = threading.Event()
        self.selector = selectors.DefaultSelector()
        head = f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode()
        for _ in range(number):
            connection = socket.create_connection(("127.0.0.1", server.port))
            connection.sendall(head)
            self.selector.register(connection, selectors.EVENT_READ)
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self) -> None:
        """Reads until the block ends."""
        while not self.ending.is_set():
            for key, _ in self.selector.select(0.1):
                got = key.fileobj.recv(1 << 20)  # type: ignore[union-attr]
                self.bytes += len(got)
                self.events += got.count(b"event:")
                self.lagged += got.count(b"event: lagged") + got.count(b"event:lagged")
                if not got:
                    self.selector.unregister(key.fileobj)

    def __enter__(self) -> Listeners:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.ending.set()
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]
