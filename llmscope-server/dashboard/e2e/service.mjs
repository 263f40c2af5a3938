// The service under test: the real program with its own store.
// E2E_PROGRAM: the path of the program.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const STARTS_WITHIN_MS = 30_000;

/** Starts a service. `env` gives it keys. By default, violations of rules are its alarms. */
export async function serve({ env = {}, alarm = "rules" } = {}) {
  const service = new Service(mkdtempSync(join(tmpdir(), "dashboard-")), env, alarm);
  await service.start();
  return service;
}

class Service {
  #directory;
  #env;
  #alarm;
  #child = null;
  /** The output of the service, for the messages of failed tests. */
  log = "";
  url = "";
  /** The API key of the requests that the tests send. */
  key = null;

  constructor(directory, env, alarm) {
    this.#directory = directory;
    this.#alarm = alarm;
    // The environment of the tests must not configure the service.
    const outside = Object.entries(process.env).filter(([name]) => !/^(LLMSCOPE_|DATABASE_PATH|DATA_RETENTION_DAYS)/.test(name));
    process.once("exit", () => this.#child?.kill("SIGKILL"));
    this.#env = { ...Object.fromEntries(outside), ...env };
  }

  /** Starts on a free port, and on the same port after a restart. */
  async start() {
    const address = this.url === "" ? "127.0.0.1:0" : new URL(this.url).host;
    const args = ["serve", "--address", address, "--database", join(this.#directory, "store.db"), "--alarm", this.#alarm, "--learn", "30", "--retention-days", "0"];
    const child = spawn(process.env.E2E_PROGRAM, args, { env: this.#env, stdio: ["ignore", "ignore", "pipe"] });
    this.#child = child;
    this.url = await new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`the service ${why}:\n${this.log}`));
      const late = setTimeout(() => fail("does not report its address"), STARTS_WITHIN_MS);
      child.once("error", reject);
      child.once("exit", (status) => fail(`ended with ${status}`));
      createInterface({ input: child.stderr }).on("line", (line) => {
        this.log += `${line}\n`;
        const url = /listening: (http:\S+)/.exec(line)?.[1];
        if (url === undefined) return;
        clearTimeout(late);
        resolve(url);
      });
    });
  }

  /** Kills the service without a graceful shutdown. */
  async kill(signal = "SIGKILL") {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.removeAllListeners("exit");
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }

  async stop() {
    await this.kill();
    rmSync(this.#directory, { recursive: true });
  }

  /** Sends a request to the API and asserts that it succeeds. */
  async request(path, { method = "GET", body, type = "application/json" } = {}) {
    const headers = { ...(body !== undefined && { "Content-Type": type }), ...(this.key && { Authorization: `Bearer ${this.key}` }) };
    const response = await fetch(this.url + path, { method, body: body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body), headers });
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${response.ok ? "" : await response.text()}`);
    return response;
  }

  get = async (path) => (await this.request(path)).json();

  post = async (path, body) => (await this.request(path, { method: "POST", body })).json();

  /** Posts values like a monitor, one request per value. */
  async log_latencies(values, of = { provider: "openai", model: "gpt-4o" }) {
    for (const latency of values) await this.post("/api/log", { ...of, latency });
  }

  /** Posts end-to-end latencies as records, one per second by default. The last one is at `end`. */
  async records(values, { of = { provider: "openai", model: "gpt-4o" }, end = Date.now(), apart = 1000, ttft_s = [] } = {}) {
    const begin = end - (values.length - 1) * apart;
    const records = values.map((value, i) => ({ ...of, started_at: new Date(begin + i * apart).toISOString(), status: "ok", e2e_s: value, ttft_s: ttft_s[i] }));
    for (let at = 0; at < records.length; at += 10_000) {
      const part = records.slice(at, at + 10_000);
      const { stored } = await this.post("/api/v1/records", { records: part });
      assert.equal(stored, part.length);
    }
  }

  series = async () => (await this.get("/api/v1/series")).series;

  /** The analysis of the service with every point. */
  async points(query) {
    const { analyses } = await this.get(`/api/v1/analysis?${new URLSearchParams({ points: "true", limit: "1000000", ...query })}`);
    assert.equal(analyses.length, 1);
    return analyses[0];
  }
}

/** The positions of the points that signal. */
export const signalsOf = ({ points }) => points.filter(({ rules }) => rules.length > 0).map(({ i }) => i);

/** Latencies around 300 ms, the same on every run. The noise is uniform, so that no value is beyond three sigma. */
export function quiet(count, { center = 0.3, spread = 0.06, seed = 7 } = {}) {
  let state = seed;
  const next = () => (state = (state * 48271) % 2147483647) / 2147483647;
  return Array.from({ length: count }, () => Number((center + spread * (next() - 0.5)).toFixed(6)));
}
