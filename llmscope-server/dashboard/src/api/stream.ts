import { Store } from "../store";
import { addressOf, ask, isRefusal } from "./client";
import { EventParser, type ServerSentEvent } from "./sse";
import type { LiveEvents } from "./types";

export type Connection = "connecting" | "live" | "reconnecting" | "paused" | "refused";
type Handler<K extends keyof LiveEvents> = (data: LiveEvents[K]) => void;

// There is a sign of life every 15 seconds: a longer silence means that nobody is at the other end.
const SILENCE_MS = 35_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

export const connection = new Store<Connection>("connecting");

const handlers = new Map<string, Set<(data: never) => void>>();
let current: AbortController | null = null;

/** Calls `handler` for each event of this name; the answer ends that. */
export function onLive<K extends keyof LiveEvents>(name: K, handler: Handler<K>): () => void {
  const known = handlers.get(name) ?? new Set();
  handlers.set(name, known);
  known.add(handler);
  return () => known.delete(handler);
}

/** Listens until it is paused, and connects anew as often as it takes. */
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
    // Only another key helps, and with it the stream is started anew.
    if (end === "refused") return;
    wait = end === "heard" ? FIRST_WAIT_MS : Math.min(wait * 2, LONGEST_WAIT_MS);
    // Not all readers at the same moment after the service was restarted.
    await pause(wait * (0.75 + Math.random() / 2), stopped);
  }
}

/** One connection to its end: whether anything came over it. */
async function listenOnce(stopped: AbortSignal): Promise<"heard" | "nothing" | "refused"> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  let heard: "heard" | "nothing" = "nothing";
  try {
    const signal = AbortSignal.any([stopped, silence.signal]);
    const response = await ask(addressOf("events"), { signal, headers: { Accept: "text/event-stream" }, cache: "no-store" });
    const reader = response.body?.getReader();
    const parser = new EventParser();
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MS);
      heard = "heard";
      if (!stopped.aborted) connection.set("live");
      for (const event of parser.feed(part.value)) dispatch(event);
    }
  } catch (error) {
    // A connection that breaks is what the loop above is for.
    if (isRefusal(error)) return "refused";
  } finally {
    clearTimeout(timer);
  }
  return heard;
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
