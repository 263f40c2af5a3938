import { TextField } from "../parts/fields";
import type { Patch } from "../router";

interface Props {
  query: URLSearchParams;
  change: (patch: Patch) => void;
}

/** Fields for the specification limits. They are never computed from data. */
export function SpecificationFields({ query, change }: Props) {
  const field = (name: "lsl" | "usl" | "target", label: string, title: string) => (
    <TextField label={label} value={query.get(name) ?? ""} placeholder={name === "usl" ? "e.g. 800ms" : "none"} title={title} onCommit={(value) => change({ [name]: value })} testId={`${name}-input`} />
  );
  return (
    <div class="specification" role="group" aria-label="Specification limits">
      {field("lsl", "LSL", "Lower specification limit, such as 100ms")}
      {field("usl", "USL", "Upper specification limit, such as 800ms: a service level objective")}
      {field("target", "Target", "Target value, such as 300ms")}
    </div>
  );
}
