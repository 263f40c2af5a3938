export interface ServerSentEvent {
  event: string;
  data: string;
}

/**
 * Parses server-sent events from the bytes of a response, as the HTML standard describes them. Chunks may end
 * anywhere, even within a character.
 */
export class EventParser {
  #decoder = new TextDecoder();
  #rest = "";
  #event = "";
  #data: string[] = [];

  feed(chunk: Uint8Array): ServerSentEvent[] {
    this.#rest += this.#decoder.decode(chunk, { stream: true });
    const found: ServerSentEvent[] = [];
    for (let line = this.#line(); line !== null; line = this.#line()) this.#take(line, found);
    return found;
  }

  /** The next complete line. A line ends with CR, LF or CRLF. */
  #line(): string | null {
    const end = this.#rest.search(/[\r\n]/);
    if (end < 0) return null;
    const carriage = this.#rest[end] === "\r";
    // A CR at the end of a chunk may be half of a CRLF.
    if (carriage && end === this.#rest.length - 1) return null;
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + (carriage && this.#rest[end + 1] === "\n" ? 2 : 1));
    return line;
  }

  #take(line: string, found: ServerSentEvent[]): void {
    if (line === "") {
      if (this.#data.length > 0) found.push({ event: this.#event || "message", data: this.#data.join("\n") });
      this.#event = "";
      this.#data = [];
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event = value;
    if (field === "data") this.#data.push(value);
  }
}
