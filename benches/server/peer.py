"""The peer: a service like the previous one. FastAPI, a pydantic model, one INSERT and one commit in the handler.

Every choice is the one that is faster for the peer: uvloop and httptools, no access log, one open connection behind a
lock, a check of the key that needs no thread, statistics in one pass. A connection for each thread, each request or each
of two processes was as fast or slower in our tests. Its 99th percentile was many times longer, because the connections
wait for each other in SQLite's sleeps. The peer stores and answers. It does not judge values on arrival.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

KEY = os.environ["LLMSCOPE_API_KEY"]
SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, provider TEXT NOT NULL, model TEXT, latency REAL NOT NULL,
    tokens_in INTEGER, tokens_out INTEGER, cost REAL, success INTEGER NOT NULL, error_message TEXT, endpoint TEXT,
    metadata TEXT
);
CREATE INDEX IF NOT EXISTS requests_in_time ON requests (at);
CREATE INDEX IF NOT EXISTS requests_of_provider ON requests (provider, at);
"""
INSERT = (
    "INSERT INTO requests (at, provider, model, latency, tokens_in, tokens_out, cost, success, error_message, "
    "endpoint, metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def connect() -> sqlite3.Connection:
    """A connection with the requested settings."""
    connection = sqlite3.connect(os.environ["DATABASE_PATH"], timeout=30, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={os.environ['SYNCHRONOUS']}")
    return connection


writer, writing = connect(), threading.Lock()
writer.executescript(SCHEMA)
readers = threading.local()
app = FastAPI()


class Entry(BaseModel):
    """A request, as monitors report it."""

    provider: str
    latency: float = Field(ge=0)
    model: str | None = None
    tokens_in: int | None = Field(None, ge=0)
    tokens_out: int | None = Field(None, ge=0)
    cost: float | None = Field(None, ge=0)
    success: bool = True
    error_message: str | None = None
    endpoint: str | None = None
    metadata: dict[str, Any] | None = None


class Record(BaseModel):
    """A request of a batch."""

    provider: str
    started_at: datetime
    model: str | None = None
    ttft_s: float | None = Field(None, ge=0)
    e2e_s: float = Field(ge=0)
    tpot_s: float | None = Field(None, ge=0)
    input_tokens: int | None = Field(None, ge=0)
    output_tokens: int | None = Field(None, ge=0)


class Batch(BaseModel):
    """Several requests."""

    records: list[Record]


async def check_key(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> None:
    """Refuses requests without the key."""
    if not secrets.compare_digest(credentials.credentials, KEY):
        raise HTTPException(401, "wrong key")


@app.get("/ready")
def ready() -> dict[str, str]:
    """Checks that the store answers."""
    with writing:
        writer.execute("SELECT 1 FROM requests LIMIT 1").fetchone()
    return {"status": "ready"}


@app.post("/api/log", dependencies=[Depends(check_key)])
def log(entry: Entry) -> dict[str, str]:
    """Stores a request, on one of FastAPI's threads for blocking handlers."""
    return keep(entry)


@app.post("/inline/api/log", dependencies=[Depends(check_key)])
async def log_inline(entry: Entry) -> dict[str, str]:
    """The same on the event loop. Each request needs less work, but all other requests wait for the disk."""
    return keep(entry)


def keep(entry: Entry) -> dict[str, str]:
    """One INSERT and one commit."""
    at = datetime.now(UTC)
    metadata = json.dumps(entry.metadata) if entry.metadata is not None else None
    row = (at.timestamp(), entry.provider, entry.model, entry.latency, entry.tokens_in, entry.tokens_out, entry.cost,
           entry.success, entry.error_message, entry.endpoint, metadata)
    with writing:
        writer.execute(INSERT, row)
        writer.commit()
    return {"status": "logged", "timestamp": at.isoformat()}


@app.post("/api/v1/records", dependencies=[Depends(check_key)])
def records(batch: Batch) -> dict[str, int]:
    """Stores a batch. The previous service had no such call; this is its natural form."""
    rows = [(r.started_at.timestamp(), r.provider, r.model, r.e2e_s, r.input_tokens, r.output_tokens, None, True, None,
             None, json.dumps({"ttft_s": r.ttft_s, "tpot_s": r.tpot_s})) for r in batch.records]
    with writing:
        writer.executemany(INSERT, rows)
        writer.commit()
    return {"stored": len(rows)}


def latest(hours: int, limit: int) -> list[tuple[float, float, float | None]]:
    """The newest successful requests: time, latency and cost, in time order."""
    if not hasattr(readers, "connection"):
        readers.connection = connect()
    query = "SELECT at, latency, cost FROM requests WHERE success AND at >= ? ORDER BY at DESC LIMIT ?"
    rows: list[tuple[float, float, float | None]] = readers.connection.execute(
        query, (time.time() - 3600 * hours, limit)).fetchall()
    rows.reverse()
    return rows


@app.get("/api/stats/spc", dependencies=[Depends(check_key)])
def spc(hours: int = Query(24, ge=1, le=168), limit: int = Query(2000, ge=10, le=20_000)) -> dict[str, Any]:
    """A chart, point by point, with the mean and standard deviation of the points so far."""
    rows = latest(hours, limit)
    values = [1e3 * latency for _, latency, _ in rows]
    series = []
    for (at, _, _), y, (mu, sd), signals in zip(rows, values, running(values), judged(values), strict=True):
        point = {"t_ms": int(1e3 * at), "y_ms": y, "mu": mu}
        for zone in (1, 2, 3):
            point[f"p{zone}"], point[f"n{zone}"] = mu + zone * sd, max(0.0, mu - zone * sd)
        series.append(point | {f"r{rule}": signal for rule, signal in enumerate(signals, 1)})
    return {"count": len(series), "series": series}


@app.get("/api/data", dependencies=[Depends(check_key)])
def data(hours: int = Query(24, ge=1, le=168), limit: int = Query(2000, ge=1, le=10_000)) -> dict[str, Any]:
    """Latencies and their statistics."""
    rows = latest(hours, limit)
    values = [latency for _, latency, _ in rows]
    ordered = sorted(values)
    *_, (mean, std) = running(values)
    at = lambda p: ordered[min(len(ordered) - 1, int(p * len(ordered)))]  # noqa: E731
    stats = {"mean": mean, "std": std, "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "min": ordered[0],
             "max": ordered[-1], "ucl": mean + 3 * std, "lcl": max(0.0, mean - 3 * std), "count": len(values),
             "total_cost": sum(cost or 0.0 for _, _, cost in rows), "error_rate": 0.0}
    found = [{"rule": f"R{rule}", "start_idx": i, "end_idx": i, "count": 1}
             for i, signals in enumerate(judged(values)) for rule, signal in enumerate(signals, 1) if signal]
    series = [{"t": datetime.fromtimestamp(at, UTC).isoformat(), "y": y} for at, y, _ in rows]
    return {"series": series, "stats": stats, "violations": found}


def running(values: list[float]) -> Iterator[tuple[float, float]]:
    """Mean and standard deviation of the values so far."""
    mean = squares = 0.0
    for n, value in enumerate(values, 1):
        delta = value - mean
        mean += delta / n
        squares += delta * (value - mean)
        yield mean, math.sqrt(squares / (n - 1)) if n > 1 else 0.0


def judged(values: list[float]) -> Iterator[list[bool]]:
    """Nelson's eight rules at every point, with the mean and standard deviation of the points so far."""
    z: list[float] = []
    for i, (mean, sd) in enumerate(running(values)):
        z.append((values[i] - mean) / sd if sd > 0 else 0.0)
        six, fourteen = values[max(0, i - 5) : i + 1], values[max(0, i - 13) : i + 1]
        rises, steps = differences(six), differences(fourteen)
        yield [
            abs(z[-1]) > 3,
            i >= 8 and (min(z[-9:]) > 0 or max(z[-9:]) < 0),
            len(rises) == 5 and (min(rises) > 0 or max(rises) < 0),
            len(steps) == 13 and all(a * b < 0 for a, b in zip(steps, steps[1:], strict=False)),
            i >= 2 and (sum(x > 2 for x in z[-3:]) >= 2 or sum(x < -2 for x in z[-3:]) >= 2),
            i >= 4 and (sum(x > 1 for x in z[-5:]) >= 4 or sum(x < -1 for x in z[-5:]) >= 4),
            i >= 14 and all(abs(x) < 1 for x in z[-15:]),
            i >= 7 and all(abs(x) > 1 for x in z[-8:]),
        ]


def differences(values: list[float]) -> list[float]:
    """The difference between each value and the next."""
    return [b - a for a, b in zip(values, values[1:], strict=False)]
