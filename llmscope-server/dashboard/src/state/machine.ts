import { useEffect } from "preact/hooks";
import { machine } from "../api/calls";
import { onLive } from "../api/stream";
import type { MachineSample } from "../api/types";
import { Store, useStore } from "../store";
import { useLoaded } from "./loaded";

/** Two minutes of samples, one every two seconds. */
const MAX_SAMPLES = 60;

const live = new Store<MachineSample[]>([]);

/** Collects the last samples, independent of the open view. */
export function useMachineWatch(): void {
  useEffect(() => onLive("machine", (sample) => live.set([...live.get(), sample].slice(-MAX_SAMPLES))), []);
}

/** The last samples of the machine, newest last, completed with memory sizes and GPU names of the environment. */
export function useMachine(): { samples: MachineSample[]; error: Error | null; reload: () => void } {
  const { data, error, reload } = useLoaded("machine", machine);
  const arrived = useStore(live);
  const known = arrived.length > 0 ? arrived : data?.sample ? [data.sample] : [];
  const samples = known.map((sample) => ({
    ...sample,
    memory_bytes: sample.memory_bytes ?? data?.environment?.memory_bytes,
    gpus: sample.gpus?.map((gpu, k) => ({ ...data?.environment?.gpus?.[k], ...gpu })),
  }));
  return { samples, error, reload };
}
