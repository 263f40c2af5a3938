/**
 * Runs a task on request, never concurrently and at most once every `gap` milliseconds. Requests that arrive while it runs
 * cause one more run.
 */
export class Pacer {
  #task: () => Promise<void>;
  #gap: number;
  #running = false;
  #again = false;
  #started = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(task: () => Promise<void>, gap: number) {
    this.#task = task;
    this.#gap = gap;
  }

  request(): void {
    if (this.#running) {
      this.#again = true;
      return;
    }
    if (this.#timer !== undefined) return;
    const wait = this.#started + this.#gap - Date.now();
    if (wait <= 0) void this.#run();
    else this.#timer = setTimeout(() => void this.#run(), wait);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#again = false;
  }

  async #run(): Promise<void> {
    this.#timer = undefined;
    this.#running = true;
    this.#started = Date.now();
    try {
      await this.#task();
    } finally {
      this.#running = false;
    }
    if (!this.#again) return;
    this.#again = false;
    this.request();
  }
}
