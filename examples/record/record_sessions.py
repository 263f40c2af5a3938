#!/usr/bin/env python3
"""Record benchmark sessions from a real inference engine, llama.cpp, on this machine.

The script writes a small Llama model with seeded random weights to a temporary folder (random_llama.py). It serves the
model with llama.cpp's own HTTP server (package xllamacpp) on the loopback interface, sends one request after another,
and measures the times. The weights are random, so the text of the responses is meaningless. The work, the tokens, the
stream and the times are real.

Each scenario makes one llmscope session (JSON, schema llmscope.session/1):
  undisturbed   one client, without a disturbance
  second-load   half way, a second client starts to send the same kind of requests, until the end
  paused        SIGSTOP stops the server in the middle of two requests: briefly, then beyond the client's timeout
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import importlib.metadata
import json
import multiprocessing
import multiprocessing.connection
import os
import platform
import random
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from random_llama import SEED, SYLLABLES, Shape, start_server, write_model

WARMUPS = 5
TIMEOUT_S = 2.0
SHORT_PAUSE_S = 0.6
LONG_PAUSE_S = TIMEOUT_S + 0.5
SETTLE_S = 1.0
START_LIMIT_S = 60.0
SPAWN = multiprocessing.get_context("spawn")

PROMPT_WORDS = 64
MAX_TOKENS = 32

SHAPE = Shape(name="random-llama-4l", layers=4, width=768, heads=12, feed_forward=2048, context=512, slots=2)
THREADS = 1

SCENARIOS = {
    "undisturbed": "One client sends requests to a llama.cpp server, one after another, without a disturbance.",
    "second-load": "One client sends requests to a llama.cpp server, one after another. Half way, a second client starts"
    " to send requests to the same server and continues until the end.",
    "paused": "One client sends requests to a llama.cpp server, one after another. SIGSTOP stops the server process in"
    " the middle of two requests, once briefly and once for longer than the client waits.",
}


def serve(model: Path, log: Path, parent: multiprocessing.connection.Connection) -> None:
    """Serve the model in this process and send the port to the parent, until the parent closes the pipe."""
    with log.open("w") as sink:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
    server = start_server(model, SHAPE, THREADS)
    parent.send(int(server.listening_address.rsplit(":", 1)[1]))
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        parent.recv()


@contextlib.contextmanager
def running_server(model: Path) -> Iterator[tuple[int, int]]:
    """Run the server in a child process and yield its port and process id."""
    log = model.with_suffix(".log")
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=serve, args=(model, log, theirs), daemon=True)
    process.start()
    theirs.close()
    assert process.pid is not None
    try:
        try:
            if not ours.poll(START_LIMIT_S):
                raise EOFError
            port = ours.recv()
        except EOFError:
            output = log.read_text()[-2000:] if log.exists() else ""
            raise SystemExit(f"the server did not start within {START_LIMIT_S:g} s, or failed:\n{output}") from None
        yield port, process.pid
    finally:
        ours.close()
        process.kill()
        process.join()


class ServerError(Exception):
    """The server rejected a request or ended a stream early. Holds its message and, if there is one, its code."""


class Client:
    """One client. llama.cpp closes the connection after each streamed response, so each request opens a new one."""

    def __init__(self, port: int, seed: int) -> None:
        """Create a client of the server at this port, with prompts drawn from this seed."""
        self.port = port
        self.random = random.Random(seed)

    def body(self) -> bytes:
        """Return a request with a new prompt. All prompts have the same number of tokens."""
        draw = self.random.choice
        prompt = " ".join(draw(SYLLABLES[:40]) + draw(SYLLABLES) for _ in range(PROMPT_WORDS))
        request = {"model": SHAPE.name, "messages": [{"role": "user", "content": prompt}], "stream": True, "seed": SEED}
        request |= {"stream_options": {"include_usage": True}, "max_tokens": MAX_TOKENS, "ignore_eos": True}
        return json.dumps(request | {"cache_prompt": False}).encode()

    def ask(self, on_chunk: Callable[[int], None] = lambda count: None) -> dict[str, Any]:
        """Send one request and return its record. `on_chunk` gets the number of content chunks so far.

        The connection is opened before the request is issued. Its time is in `connect_s` only.
        """
        body, record = self.body(), {"started_at": now()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            start = time.perf_counter()
            connection.connect()
            record |= {"connect_s": round(time.perf_counter() - start, 6), "started_at": now()}
            record |= {"status": "ok"} | exchange(connection, body, record, on_chunk)
        except TimeoutError:
            fail(record, "timeout", f"no complete response within {TIMEOUT_S:g} s")
        except ServerError as error:
            fail(record, "server_error", *error.args)
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            fail(record, type(error).__name__, str(error) or type(error).__name__)
        finally:
            connection.close()
        return record


def exchange(
    connection: http.client.HTTPConnection, body: bytes, record: dict[str, Any], on_chunk: Callable[[int], None]
) -> dict[str, Any]:
    """Send the request, read the stream, and return the fields that a complete response adds to the record."""
    sock, stamps, usage, done = connection.sock, [], None, False
    issue = time.perf_counter()
    deadline = issue + TIMEOUT_S
    connection.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
    sock.settimeout(left(deadline))
    response = connection.getresponse()
    if response.status != 200:
        raise ServerError(response.read().decode(errors="replace")[:200], response.status)
    while True:
        sock.settimeout(left(deadline))
        line = response.readline()
        end = time.perf_counter()
        if not line:
            break
        if line.startswith(b"data: [DONE]"):
            done = True
        elif line.startswith(b"data: "):
            chunk = json.loads(line[6:])
            if "error" in chunk:
                raise ServerError(str(chunk["error"].get("message")), chunk["error"].get("code"))
            usage = chunk.get("usage") or usage
            if any(choice["delta"].get("content") for choice in chunk["choices"]):
                stamps.append(end)
                record.setdefault("ttft_s", round(end - issue, 6))
                on_chunk(len(stamps))
    if not done:
        raise ServerError("the stream ended early")
    found = {"e2e_s": round(end - issue, 6)}
    if usage:
        found |= {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]}
        if len(stamps) > 1:
            found["tpot_s"] = round((stamps[-1] - stamps[0]) / (usage["completion_tokens"] - 1), 6)
    return found


def fail(record: dict[str, Any], kind: str, message: str, code: int | None = None) -> None:
    """Mark a record as failed, with a code if the server sent one."""
    record["status"] = "timeout" if kind == "timeout" else "error"
    record["error"] = {"type": kind, **({} if code is None else {"code": code}), "message": message}


def left(deadline: float) -> float:
    """Return the seconds until a deadline, or raise TimeoutError."""
    seconds = deadline - time.perf_counter()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def now() -> str:
    """Return the wall-clock time as RFC 3339 with milliseconds."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def keep_asking(port: int) -> None:
    """Run the second client in its own process, until that process is killed."""
    client = Client(port, SEED + 1)
    while True:
        client.ask()


def run(scenario: str, requests: int, port: int, server: int) -> dict[str, Any]:
    """Run one scenario and return its session."""
    client, events, records = Client(port, SEED), [], []
    for _ in range(WARMUPS):
        record = client.ask()
        records.append({"started_at": record.pop("started_at"), "warmup": True, **record})

    def event(message: str) -> None:
        events.append({"at": now(), "message": message})

    def resume(seconds: float) -> None:
        os.kill(server, signal.SIGCONT)
        event(f"server process continued (SIGCONT) after {seconds:g} s")

    pauses = {requests * 2 // 3: SHORT_PAUSE_S, requests * 5 // 6: LONG_PAUSE_S} if scenario == "paused" else {}
    timers: list[threading.Timer] = []
    second = SPAWN.Process(target=keep_asking, args=(port,), daemon=True)
    try:
        for index in range(requests):
            if scenario == "second-load" and index == requests // 2:
                event("a second client starts to send the same kind of requests, until the end")
                second.start()

            def pause(count: int, seconds: float | None = pauses.get(index)) -> None:
                if seconds and count == MAX_TOKENS // 2:
                    os.kill(server, signal.SIGSTOP)
                    event("server process stopped (SIGSTOP) in the middle of a request")
                    timers.append(threading.Timer(seconds, resume, (seconds,)))
                    timers[-1].start()

            records.append(client.ask(pause))
    finally:
        if second.pid:
            second.kill()
        for timer in timers:
            timer.join()
    return {**header(scenario, records[0]["started_at"]), "records": records, "events": events}


def header(scenario: str, started_at: str) -> dict[str, Any]:
    """Return the fields that describe the whole run."""
    labels = {"scenario": scenario, "concurrency": 1, "max_tokens": MAX_TOKENS, "prompt_words": PROMPT_WORDS}
    labels |= {"timeout_s": TIMEOUT_S, "server_slots": SHAPE.slots, "server_threads": THREADS}
    labels |= {"model_width": SHAPE.width, "connection": "new for every request, opened before it is issued"}
    return {
        "schema": "llmscope.session/1",
        "name": scenario,
        "description": SCENARIOS[scenario],
        "started_at": started_at,
        "provider": "llama.cpp",
        "model": SHAPE.name,
        "recorder": {"name": "record_sessions.py", "version": "1"},
        "labels": {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in labels.items()},
        "environment": environment(),
    }


def environment() -> dict[str, Any]:
    """Describe the machine, without its name. Values that cannot be read are left out."""
    cpu = {"architecture": platform.machine(), "logical_cores": len(os.sched_getaffinity(0))}
    found: dict[str, Any] = {"kernel": f"{platform.system()} {platform.release()}", "cpu": cpu}
    with contextlib.suppress(OSError, KeyError):
        found = {"os": platform.freedesktop_os_release()["PRETTY_NAME"], **found}
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line for line in lines if line.startswith("model name")).split(":", 1)[1].strip()
        if name and name != "unknown":
            found["cpu"] = {"model": name, **cpu}
    found["memory_bytes"] = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    found["engine"] = {"name": "llama.cpp (xllamacpp)", "version": importlib.metadata.version("xllamacpp")}
    return found


def save(session: dict[str, Any], path: Path) -> None:
    """Write a session atomically, with each header field, record and event on its own line."""
    fields = []
    for name, value in session.items():
        if name in ("records", "events"):
            if value:
                rows = ",\n".join("    " + json.dumps(row) for row in value)
                fields.append(f'  "{name}": [\n{rows}\n  ]')
        else:
            fields.append(f'  "{name}": {json.dumps(value)}')
    draft = path.with_suffix(".partial")
    draft.write_text("{\n" + ",\n".join(fields) + "\n}\n", encoding="utf-8")
    draft.replace(path)


def summary(session: dict[str, Any]) -> str:
    """Return a one-line summary of the recorded requests."""
    records = [record for record in session["records"] if not record.get("warmup")]
    good = [record for record in records if record["status"] == "ok"]
    parts = [f"{len(records)} requests, {len(records) - len(good)} failed"]
    for field in ("ttft_s", "tpot_s", "e2e_s"):
        values = [record[field] for record in good if field in record]
        if values:
            parts.append(f"{field} median {statistics.median(values):.4f} max {max(values):.4f}")
    return "; ".join(parts)


def main() -> None:
    """Record the selected scenarios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(__file__).resolve().parent.parent / "sessions"
    parser.add_argument("--out", type=Path, default=default, metavar="DIR", help="default: examples/sessions")
    parser.add_argument("--requests", type=int, default=300, metavar="N", help="per scenario, after warm-up (300)")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="may be repeated; default: all")
    options = parser.parse_args()
    if options.requests < 12:
        parser.error("--requests must be at least 12")
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.gguf"
        write_model(model, SHAPE)
        for scenario in options.scenario or SCENARIOS:
            with running_server(model) as (port, server):
                time.sleep(SETTLE_S)
                session = run(scenario, options.requests, port, server)
            save(session, options.out / f"{scenario}.json")
            print(f"{scenario}: {summary(session)}", flush=True)


if __name__ == "__main__":
    main()
