import { Empty } from "../parts/feedback";

/** Instructions for a service without measurements. */
export function FirstSteps() {
  const origin = location.origin;
  const record = '{"records":[{"provider":"ollama","model":"gemma3:4b","ttft_s":0.21,"e2e_s":1.9,"output_tokens":120}]}';
  return (
    <Empty title="There are no measurements yet.">
      <p>Post a measurement:</p>
      <pre tabIndex={0}><code>{`curl ${origin}/api/v1/records \\\n  -H 'Authorization: Bearer YOUR_KEY' \\\n  -H 'Content-Type: application/json' \\\n  -d '${record}'`}</code></pre>
      <p>Or run a monitor that sends requests to an endpoint and posts its measurements:</p>
      <pre tabIndex={0}><code>{`llmscope monitor --vendor ollama --model gemma3:4b -o watch.jsonl --post ${origin}`}</code></pre>
      <p>To analyze a recorded run, <a href="/sessions">upload a log</a>.</p>
    </Empty>
  );
}
