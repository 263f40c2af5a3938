import { patched, type Patch } from "../router";
import { key, keyPrompt } from "./key";

/** An error response of the service, with the service's own message. Status 0: the service cannot be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

interface FieldError {
  loc?: (string | number)[];
  msg: string;
}

export function addressOf(path: string, query: Patch = {}): string {
  const text = patched(new URLSearchParams(), query).toString();
  return `/api/v1/${path}${text === "" ? "" : `?${text}`}`;
}

export async function request(address: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  const secret = key.get();
  if (secret !== null) headers.set("Authorization", `Bearer ${secret}`);
  const response = await fetchOrThrow(address, { ...init, headers });
  if (response.ok) return response;
  // The key may have changed since the request was sent: a refusal of the old key says nothing about the new one.
  if (response.status === 401 && key.get() === secret) keyPrompt.set("refused");
  throw new ApiError(response.status, await messageOf(response));
}

export async function getJson<T>(path: string, query: Patch, signal?: AbortSignal): Promise<T> {
  const response = await request(addressOf(path, query), { signal: signal ?? null });
  return (await response.json()) as T;
}

export async function sendJson<T>(method: string, path: string, body?: unknown): Promise<T> {
  const json = body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const response = await request(addressOf(path), { method, ...json });
  return (await response.json()) as T;
}

async function fetchOrThrow(address: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(address, init);
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError(0, "The service cannot be reached.");
  }
}

async function messageOf(response: Response): Promise<string> {
  const body = (await response.json().catch(() => null)) as { detail?: string | FieldError[] } | null;
  const wait = response.headers.get("Retry-After");
  const later = wait ? ` Try again in ${wait} s.` : "";
  if (Array.isArray(body?.detail)) return body.detail.map(fieldMessage).join("; ") + later;
  return (body?.detail ?? `The service answered ${response.status} ${response.statusText}.`) + later;
}

function fieldMessage({ loc, msg }: FieldError): string {
  const name = loc?.slice(1).join(".");
  return name ? `${name}: ${msg}` : msg;
}

/** True if the service refuses the current key. */
export const isRefusal = (error: unknown): boolean => error instanceof ApiError && error.status === 401;

export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";

export const errorMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error));
