import { useEffect, useRef, useState } from "preact/hooks";
import { isAbort, isRefusal } from "../api/client";
import { key } from "../api/key";
import { useStore } from "../store";
import { Pacer } from "./pacer";

export interface Loaded<T> {
  data: T | null;
  error: Error | null;
  loading: boolean;
  /** When `data` was loaded. */
  at: Date | null;
  reload: () => void;
}

type State<T> = Pick<Loaded<T>, "data" | "error" | "at"> & { of: string | null };

const MIN_INTERVAL_MS = 500;

/**
 * The result of `load` for `name`. It is loaded when the name or the API key changes and at each `reload`, at most twice
 * a second and never concurrently. While it loads, the previous result stays unless it belongs to another `subject`.
 */
export function useLoaded<T>(name: string | null, load: (signal: AbortSignal) => Promise<T>, subject = name): Loaded<T> {
  const secret = useStore(key);
  const [state, setState] = useState<State<T>>({ data: null, error: null, at: null, of: null });
  const [settled, setSettled] = useState<string | null>(null);
  const latest = useRef(load);
  latest.current = load;
  const pacer = useRef<Pacer | null>(null);
  const wanted = `${name} ${secret}`;

  useEffect(() => {
    if (name === null) return undefined;
    const stopped = new AbortController();
    const task = async () => {
      try {
        const data = await latest.current(stopped.signal);
        if (!stopped.signal.aborted) setState({ data, error: null, at: new Date(), of: subject });
      } catch (error) {
        if (isAbort(error) || stopped.signal.aborted) return;
        // After a refusal, the page must not show data that the key may not read.
        setState((before) => ({ ...before, data: isRefusal(error) ? null : before.data, error: error as Error }));
      }
      if (!stopped.signal.aborted) setSettled(wanted);
    };
    pacer.current = new Pacer(task, MIN_INTERVAL_MS);
    pacer.current.request();
    return () => {
      pacer.current?.stop();
      stopped.abort();
    };
  }, [wanted]);

  const fresh = name !== null && state.of === subject;
  return {
    data: fresh ? state.data : null,
    error: settled === wanted ? state.error : null,
    loading: name !== null && settled !== wanted,
    at: fresh ? state.at : null,
    reload: () => pacer.current?.request(),
  };
}
