"""A soak test of the service: writers, readers and listeners run at once for some minutes, and it reports the memory.

    python3 benches/server/soak.py --llmscope target/release/llmscope --minutes 10

It starts the program on a new store, runs all clients for the given time, and prints a line every ten seconds. At the
end the store must have every acknowledged record, and no answer may have been a 5xx.
"""

import argparse
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter

KEY = "a-key-of-the-soak"
HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
READS = [
    "/api/v1/series",
    "/api/v1/violations?limit=50",
    "/api/v1/analysis?metric=e2e_s&hours=1&points=true&max_points=2000&usl=800ms",
    "/api/v1/analysis?metric=ttft_s&limit=20000&chart=ewma",
    "/api/v1/histogram?metric=e2e_s&limit=20000",
    "/api/v1/chart.svg?limit=2000",
    "/api/v1/records?limit=200",
    "/api/v1/records?limit=5000&format=csv",
    "/api/data",
    "/api/stats?summary=true",
    "/api/stats/spc?limit=20000",
    "/api/cost/summary",
    "/metrics",
    "/health",
    "/",
]


class Tally:
    """Counts the answers to all clients."""

    def __init__(self):
        self.lock, self.status, self.stored, self.events = threading.Lock(), Counter(), 0, 0

    def add(self, status, stored=0):
        with self.lock:
            self.status[status] += 1
            self.stored += stored


def record(i):
    latency = 0.30 + 0.01 * (i * 7 % 5) + (0.2 if i % 997 == 0 else 0.0)
    return {
        "provider": f"provider-{i % 4}",
        "model": f"model-{i % 3}",
        "ttft_s": latency / 4,
        "e2e_s": latency,
        "output_tokens": 40 + i % 20,
        "cost_usd": 0.001,
        "status": "timeout" if i % 211 == 0 else "ok",
    }


def ask(connection, method, path, body=None):
    connection.request(method, path, body=None if body is None else json.dumps(body), headers=HEADERS)
    answer = connection.getresponse()
    return answer.status, answer.read()


def work(port, ending, tally, turn):
    """Runs one client on one connection until the end."""
    connection, i = http.client.HTTPConnection("127.0.0.1", port, timeout=60), 0
    while not ending.is_set():
        turn(connection, i)
        i += 1


def write_single(tally):
    def turn(connection, i):
        body = {"provider": "single", "model": "m", "latency": 0.3 + 0.01 * (i % 5), "metadata": {"i": i}}
        status, _ = ask(connection, "POST", "/api/log", body)
        tally.add(status, int(status == 200))

    return turn


def write_batch(tally):
    def turn(connection, i):
        status, _ = ask(connection, "POST", "/api/v1/records", [record(200 * i + j) for j in range(200)])
        tally.add(status, 200 * int(status == 201))
        time.sleep(0.05)

    return turn


def read(tally, offset):
    def turn(connection, i):
        status, _ = ask(connection, "GET", READS[(i + offset) % len(READS)])
        tally.add(status)
        time.sleep(0.02)

    return turn


def upload(tally, session):
    def turn(connection, i):
        connection.request("POST", f"/api/v1/sessions?name=soak-{i}", body=session, headers=HEADERS)
        answer = connection.getresponse()
        summary = json.loads(answer.read())
        tally.add(answer.status)
        status, _ = ask(connection, "GET", f"/api/v1/analysis?session={summary['id']}&metric=e2e_s")
        tally.add(status)
        status, _ = ask(connection, "DELETE", f"/api/v1/sessions/{summary['id']}")
        tally.add(status)
        time.sleep(1)

    return turn


def listen(port, ending, tally):
    with socket.create_connection(("127.0.0.1", port)) as stream:
        stream.settimeout(1)
        stream.sendall(f"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode())
        while not ending.is_set():
            try:
                tally.events += stream.recv(65536).count(b"event: ")
            except TimeoutError:
                pass


def memory_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llmscope", default="target/release/llmscope")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--session", default="examples/sessions/paused.json")
    args = parser.parse_args()
    session = open(args.session, "rb").read()
    with tempfile.TemporaryDirectory() as folder:
        command = [args.llmscope, "serve", "--address", "127.0.0.1:0", "--database", f"{folder}/soak.db"]
        process = subprocess.Popen(
            command, env={**os.environ, "LLMSCOPE_API_KEY": KEY}, stderr=subprocess.PIPE, text=True
        )
        port = next(int(line.rsplit(":", 1)[1]) for line in process.stderr if line.startswith("listening"))
        threading.Thread(target=lambda: sys.stderr.writelines(process.stderr), daemon=True).start()
        try:
            ok = soak(process.pid, port, args.minutes, session, f"{folder}/soak.db")
        finally:
            process.terminate()
            process.wait()
        sys.exit(0 if ok and process.returncode == 0 else 1)


def soak(pid, port, minutes, session, database):
    tally, ending = Tally(), threading.Event()
    turns = [write_single(tally)] * 4 + [write_batch(tally)] * 2 + [read(tally, 4 * n) for n in range(4)]
    turns.append(upload(tally, session))
    workers = [threading.Thread(target=work, args=(port, ending, tally, turn)) for turn in turns]
    workers += [threading.Thread(target=listen, args=(port, ending, tally)) for _ in range(10)]
    began, memory = time.monotonic(), []
    [worker.start() for worker in workers]
    print(f"{'minute':>7}{'records':>12}{'answers':>10}{'events':>9}{'store MiB':>11}{'memory MiB':>12}{'load':>7}")
    while (passed := time.monotonic() - began) < 60 * minutes:
        time.sleep(10)
        memory.append(memory_kib(pid) / 1024)
        size = sum(os.path.getsize(database + end) for end in ("", "-wal") if os.path.exists(database + end)) / 2**20
        answers = sum(tally.status.values())
        print(
            f"{passed / 60:>7.1f}{tally.stored:>12,}{answers:>10,}{tally.events:>9,}{size:>11.1f}"
            f"{memory[-1]:>12.1f}{os.getloadavg()[0]:>7.2f}",
            flush=True,
        )
    ending.set()
    [worker.join() for worker in workers]
    held = json.loads(ask(http.client.HTTPConnection("127.0.0.1", port, timeout=60), "GET", "/health")[1])
    failures = {status: count for status, count in tally.status.items() if status >= 500}
    third = max(1, len(memory) // 3)
    middle, last = max(memory[third : 2 * third]), max(memory[-third:])
    print(f"\nacknowledged {tally.stored:,}, in the store {held['total_requests']:,}; answers {dict(tally.status)}")
    print(f"memory: at most {middle:.1f} MiB in the second third, {last:.1f} MiB in the last")
    return held["total_requests"] == tally.stored and not failures


if __name__ == "__main__":
    main()
