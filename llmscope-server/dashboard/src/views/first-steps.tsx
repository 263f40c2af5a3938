import { Empty } from "../parts/notice";

/** What to do while there is nothing to show. */
export function FirstSteps() {
  const origin = location.origin;
  const record = '{"records":[{"provider":"ollama","model":"gemma3:4b","ttft_s":0.21,"e2e_s":1.9,"output_tokens":120}]}';
  return (
    <Empty title="No measurement has arrived yet.">
      <p>Post a first one:</p>
      <pre tabIndex={0}><code>{`curl ${origin}/api/v1/records \\\n  -H 'Authorization: Bearer YOUR_KEY' \\\n  -H 'Content-Type: application/json' \\\n  -d '${record}'`}</code></pre>
      <p>Or let a monitor ask an endpoint again and again, and post what it measures:</p>
      <pre tabIndex={0}><code>{`llmscope-cli monitor --vendor ollama --model gemma3:4b -o watch.jsonl --post ${origin}`}</code></pre>
      <p>A recorded run can be looked at right away: <a href="/sessions">upload a log</a>.</p>
    </Empty>
  );
}
