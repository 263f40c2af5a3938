import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Pacer } from "../src/state/pacer";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function slow(ms: number) {
  const runs: number[] = [];
  let running = 0;
  let most = 0;
  const start = Date.now();
  const task = async () => {
    runs.push(Date.now() - start);
    most = Math.max(most, ++running);
    await new Promise((done) => setTimeout(done, ms));
    running -= 1;
  };
  return { runs, task, most: () => most };
}

describe("Pacer", () => {
  it("runs immediately, then at most once per gap", async () => {
    const { runs, task } = slow(10);
    const pacer = new Pacer(task, 500);
    for (let k = 0; k < 20; k++) {
      pacer.request();
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(runs).toEqual([0, 500, 1000, 1500, 2000]);
  });

  it("never runs concurrently, and runs once more for requests that arrive meanwhile", async () => {
    const { runs, task, most } = slow(2000);
    const pacer = new Pacer(task, 500);
    pacer.request();
    await vi.advanceTimersByTimeAsync(100);
    pacer.request();
    pacer.request();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(runs).toEqual([0, 2000]);
    expect(most()).toBe(1);
  });

  it("does not run after it is stopped", async () => {
    const { runs, task } = slow(10);
    const pacer = new Pacer(task, 500);
    pacer.request();
    await vi.advanceTimersByTimeAsync(50);
    pacer.request();
    pacer.stop();
    await vi.advanceTimersByTimeAsync(5000);
    expect(runs).toEqual([0]);
  });
});
