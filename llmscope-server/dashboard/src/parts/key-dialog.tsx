import { useState } from "preact/hooks";
import { key, keyPrompt, rememberKey } from "../api/key";
import { useStore } from "../store";
import { Dialog } from "./dialog";

/** Asks for an API key after the service refused a request, or when the user wants to use another key. */
export function KeyDialog() {
  const reason = useStore(keyPrompt);
  const secret = useStore(key);
  const [text, setText] = useState("");
  const [onDevice, setOnDevice] = useState(false);
  if (reason === null) return null;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (text.trim() === "") return;
    keyPrompt.set(null);
    rememberKey(text.trim(), onDevice);
    setText("");
  };
  return (
    <Dialog title="API key" testId="key-dialog" onClose={() => keyPrompt.set(null)}>
      <form onSubmit={submit}>
        <p>{reason === "requested" ? "Enter the key to use from now on." : secret === null ? "The service requires an API key." : "The service does not accept this key."}</p>
        {/* Password managers store the key under this user name. */}
        <input type="text" autocomplete="username" value="LLMscope" readOnly hidden />
        <label class="field">
          <span>Key</span>
          <input type="password" autocomplete="current-password" value={text} data-testid="key-input" onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <label class="check">
          <input type="checkbox" checked={onDevice} data-testid="key-remember" onChange={(event) => setOnDevice(event.currentTarget.checked)} />
          Remember on this device
        </label>
        <p class="quiet">Otherwise, the key is forgotten when you close this tab.</p>
        <div class="dialog-buttons">
          <button type="button" onClick={() => keyPrompt.set(null)}>Cancel</button>
          <button type="submit" class="primary" data-testid="key-submit">Use this key</button>
        </div>
      </form>
    </Dialog>
  );
}
