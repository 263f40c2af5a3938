import { Store } from "../store";
import { addressOf, isRefusal, request } from "./client";
import { EventParser, type ServerSentEvent } from "./sse";
import type { LiveEvents } from "./types";

export type Connection = "connecting" | "live" | "reconnecting" | "paused" | "refused";
type Handler<K extends keyof LiveEvents> = (data: LiveEvents[K]) => void;

// The service sends a keep-alive comment every 15 seconds: a longer silence means that the connection is dead.
const MAX_SILENCE_MS = 35_000;
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 15_000;

export const connection = new Store<Connection>("connecting");

const handlers = new Map<string, Set<(data: never) => void>>();
let current: AbortController | null = null;

/** Calls `handler` for each event of this name. The returned function unsubscribes it. */
export function onLive<K extends keyof LiveEvents>(name: K, handler: Handler<K>): () => void {
  const known = handlers.get(name) ?? new Set();
  handlers.set(name, known);
  known.add(handler);
  return () => known.delete(handler);
}

/** Listens until it is paused, and reconnects after every failure. */
export function startStream(): void {
  current?.abort();
  current = new AbortController();
  connection.set("connecting");
  void listenForever(current.signal);
}

export function pauseStream(): void {
  current?.abort();
  current = null;
  connection.set("paused");
}

async function listenForever(stopped: AbortSignal): Promise<void> {
  let wait = FIRST_WAIT_MS;
  while (!stopped.aborted) {
    const end = await listenOnce(stopped);
    if (stopped.aborted) return;
    connection.set(end === "refused" ? "refused" : "reconnecting");
    // Retrying does not help: a new key starts the stream again.
    if (end === "refused") return;
    wait = end === "received" ? FIRST_WAIT_MS : Math.min(wait * 2, MAX_WAIT_MS);
    // Jitter: after a restart of the service, clients do not all reconnect at the same moment.
    await pause(wait * (0.75 + Math.random() / 2), stopped);
  }
}

/** Reads one connection until it ends, and returns whether it delivered any data. */
async function listenOnce(stopped: AbortSignal): Promise<"received" | "nothing" | "refused"> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), MAX_SILENCE_MS);
  let received: "received" | "nothing" = "nothing";
  try {
    const signal = AbortSignal.any([stopped, silence.signal]);
    const response = await request(addressOf("events"), { signal, headers: { Accept: "text/event-stream" }, cache: "no-store" });
    const reader = response.body?.getReader();
    const parser = new EventParser();
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), MAX_SILENCE_MS);
      received = "received";
      if (!stopped.aborted) connection.set("live");
      for (const event of parser.feed(part.value)) dispatch(event);
    }
  } catch (error) {
    // `listenForever` reconnects after every other failure.
    if (isRefusal(error)) return "refused";
  } finally {
    clearTimeout(timer);
  }
  return received;
}

function dispatch({ event, data }: ServerSentEvent): void {
  const known = handlers.get(event);
  if (!known?.size) return;
  const value = JSON.parse(data) as never;
  for (const handler of [...known]) handler(value);
}

function pause(ms: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    stopped.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
