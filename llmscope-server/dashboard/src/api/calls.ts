// The API calls that the views make.

import { withWholeHours } from "../metrics";
import type { Patch } from "../router";
import { addressOf, getJson, request, sendJson } from "./client";
import type { Gate, Histogram, Incident, Machine, Report, Series, SessionSummary, Violation, ViolationPage, WhoAmI } from "./types";

export const whoAmI = (signal?: AbortSignal) => getJson<WhoAmI>("whoami", {}, signal);

export const allSeries = (signal?: AbortSignal) => getJson<{ series: Series[] }>("series", {}, signal);

export const sparklines = (signal?: AbortSignal) => getJson<{ series: { id: number; values: number[] }[] }>("sparklines", {}, signal);

export const openIncidents = (signal?: AbortSignal) => getJson<{ incidents: Incident[] }>("incidents", { open: "true", limit: 1000 }, signal);

export const acknowledgeIncidents = (ids: number[], note: string) => sendJson<{ incidents: Incident[] }>("POST", "incidents/acknowledge", { ids, ...noteOf(note) });

export const resolveIncidents = (ids: number[], note: string) => sendJson<{ incidents: Incident[] }>("POST", "incidents/resolve", { ids, ...noteOf(note) });

export const noteOnIncidents = (ids: number[], text: string) => sendJson<{ incidents: Incident[] }>("POST", "incidents/notes", { ids, text });

/** Also removes the violations of the series. Its records stay. */
export const removeSeries = (id: number) => sendJson<{ deleted: number }>("DELETE", `series/${id}`);

export const relearnLimits = (id: number) => sendJson<Series>("DELETE", `series/${id}/baseline`);

export const freezeFrom = (id: number, part: { from?: string; to?: string; limit?: number }) =>
  sendJson<Series>("POST", `series/${id}/baseline`, part);

export const report = (query: Patch, signal?: AbortSignal) => getJson<Report>("analysis", withWholeHours(query), signal);

export const histogram = (query: Patch, signal?: AbortSignal) => getJson<Histogram>("histogram", withWholeHours(query), signal);

export const violations = (query: Patch, signal?: AbortSignal) => getJson<ViolationPage>("violations", query, signal);

export const acknowledge = (id: number, note: string) =>
  sendJson<Violation>("POST", `violations/${id}/acknowledge`, noteOf(note));

export const resolve = (id: number, note: string) =>
  sendJson<Violation>("POST", `violations/${id}/resolve`, noteOf(note));

const noteOf = (note: string) => (note === "" ? undefined : { note });

export const addNote = (id: number, text: string) => sendJson<Violation>("POST", `violations/${id}/notes`, { text });

export const allSessions = (signal?: AbortSignal) => getJson<{ sessions: SessionSummary[] }>("sessions", {}, signal);

export const deleteSession = (id: SessionSummary["id"]) => sendJson<{ deleted: number }>("DELETE", `sessions/${encodeURIComponent(id)}`);

export const gate = (query: Patch, signal?: AbortSignal) => getJson<Gate>("gate", query, signal);

export const machine = (signal?: AbortSignal) => getJson<Machine>("machine", {}, signal);

export async function uploadSession(file: File): Promise<SessionSummary> {
  const headers = { "Content-Type": "application/octet-stream" };
  const response = await request(addressOf("sessions", { name: file.name }), { method: "POST", body: file, headers });
  return (await response.json()) as SessionSummary;
}

export async function chartFile(kind: "png" | "svg", query: Patch): Promise<Blob> {
  return (await request(addressOf(`chart.${kind}`, withWholeHours(query)))).blob();
}
