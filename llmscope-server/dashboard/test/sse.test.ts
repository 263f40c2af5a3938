import { describe, expect, it } from "vitest";
import { EventParser, type ServerSentEvent } from "../src/api/sse";

const bytes = (text: string) => new TextEncoder().encode(text);

function parsed(...chunks: Uint8Array[]): ServerSentEvent[] {
  const parser = new EventParser();
  return chunks.flatMap((chunk) => parser.feed(chunk));
}

const STREAM = 'event: hello\r\ndata: {"at":"…"}\r\n\r\n: still here\n\nevent: violation\ndata: {"words":"9 points – σ ≥ 3 🎯"}\n\n';
const EVENTS = [
  { event: "hello", data: '{"at":"…"}' },
  { event: "violation", data: '{"words":"9 points – σ ≥ 3 🎯"}' },
];

describe("EventParser", () => {
  it("reads events with any line ending and skips comments", () => {
    expect(parsed(bytes(STREAM))).toEqual(EVENTS);
  });

  it("reads the same events from chunks that end anywhere, even within characters", () => {
    const all = bytes(STREAM);
    for (let first = 0; first <= all.length; first++) {
      for (let second = first; second <= Math.min(first + 5, all.length); second++) {
        expect(parsed(all.slice(0, first), all.slice(first, second), all.slice(second))).toEqual(EVENTS);
      }
    }
  });

  it("reads the same events byte by byte", () => {
    expect(parsed(...[...bytes(STREAM)].map((byte) => Uint8Array.of(byte)))).toEqual(EVENTS);
  });

  it("joins lines of data and removes one leading space", () => {
    expect(parsed(bytes("data: one\ndata:  two\ndata\n\n"))).toEqual([{ event: "message", data: "one\n two\n" }]);
  });

  it("skips a byte order mark", () => {
    expect(parsed(Uint8Array.of(0xef, 0xbb, 0xbf), bytes("data: x\n\n"))).toEqual([{ event: "message", data: "x" }]);
  });

  it("reports no event without data, and no event before its end", () => {
    expect(parsed(bytes("event: empty\n\nevent: open\ndata: x\n"))).toEqual([]);
  });
});
