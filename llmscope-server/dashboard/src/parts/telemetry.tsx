import type { MachineSample } from "../api/types";
import { bytes, percent } from "../quantity";
import { useMachine } from "../state/machine";
import { Failure } from "./feedback";

interface Gauge {
  id: string;
  name: string;
  /** Absent if it cannot be read. */
  value?: string;
  note?: string;
  /** 0 to 1, for the sparkline. */
  share?: (sample: MachineSample) => number | undefined;
}

/** The state of the machine that runs the service. Values that cannot be read are shown as not available, never as 0. */
export function Telemetry() {
  const { samples, error, reload } = useMachine();
  const now = samples.at(-1);
  return (
    <section aria-labelledby="telemetry-title">
      <h2 id="telemetry-title" class="section-title">Machine</h2>
      {error && samples.length === 0 ? <Failure error={error} retry={reload} what="The machine’s state could not be read." /> : (
        <div class="gauges">
          {gauges(now).map((gauge) => <Card key={gauge.id} gauge={gauge} samples={samples} />)}
        </div>
      )}
    </section>
  );
}

function gauges(now: MachineSample | undefined): Gauge[] {
  const cpu = now?.cpu_utilization;
  const { memory_used_bytes: used, memory_bytes: memory, cpu_temperature_c: heat } = now ?? {};
  return [
    { id: "cpu", name: "CPU", value: cpu === undefined ? undefined : percent(cpu, 0), share: (sample) => sample.cpu_utilization },
    {
      id: "memory", name: "Memory", value: used === undefined ? undefined : bytes(used), note: memory === undefined ? undefined : `of ${bytes(memory)}`,
      share: (sample) => (sample.memory_used_bytes !== undefined && memory ? sample.memory_used_bytes / memory : undefined),
    },
    { id: "cpu-temperature", name: "CPU temperature", value: degrees(heat), share: (sample) => scaled(sample.cpu_temperature_c) },
    ...gpuGauges(now),
  ];
}

function gpuGauges(now: MachineSample | undefined): Gauge[] {
  const gpus = now?.gpus ?? [];
  if (gpus.length === 0) return [{ id: "gpu", name: "GPU" }];
  return gpus.map((gpu, k) => ({
    id: `gpu-${k}`,
    name: [gpus.length > 1 || !gpu.name ? `GPU ${k}` : null, gpu.name].filter(Boolean).join(" · "),
    value: gpu.utilization === undefined ? undefined : percent(gpu.utilization, 0),
    note: [degrees(gpu.temperature_c) ?? "temperature not available", gpu.power_w === undefined ? null : `${Math.round(gpu.power_w)}\u00a0W`].filter(Boolean).join(" · "),
    share: (sample) => sample.gpus?.[k]?.utilization,
  }));
}

const degrees = (value: number | undefined): string | undefined => (value === undefined ? undefined : `${Math.round(value)}\u00a0°C`);

const scaled = (celsius: number | undefined): number | undefined => (celsius === undefined ? undefined : celsius / 100);

function Card({ gauge, samples }: { gauge: Gauge; samples: MachineSample[] }) {
  const { id, name, value, note, share } = gauge;
  return (
    <div class="gauge" data-testid={`telemetry-${id}`}>
      <p class="gauge-name" title={name}>{name}</p>
      <p class={value === undefined ? "gauge-value missing" : "gauge-value"}>{value ?? "not available"}</p>
      {note && <p class="quiet gauge-note">{note}</p>}
      {share && value !== undefined && <Sparkline values={samples.map(share)} />}
    </div>
  );
}

function Sparkline({ values }: { values: (number | undefined)[] }) {
  const step = 100 / 59;
  const start = 100 - (values.length - 1) * step;
  const points = values.flatMap((value, k) => (value === undefined ? [] : [`${(start + k * step).toFixed(1)},${(23 - Math.min(Math.max(value, 0), 1) * 22).toFixed(1)}`]));
  return (
    <svg class="trace" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points.join(" ")} />
    </svg>
  );
}
