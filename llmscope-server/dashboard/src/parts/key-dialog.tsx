import { useState } from "preact/hooks";
import { key, keyWanted, rememberKey } from "../api/key";
import { useStore } from "../store";
import { Dialog } from "./dialog";

/** Asks for the API key as long as the service refuses to answer without one. */
export function KeyDialog() {
  const wanted = useStore(keyWanted);
  const secret = useStore(key);
  const [text, setText] = useState("");
  const [onDevice, setOnDevice] = useState(false);
  if (wanted === null) return null;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (text.trim() === "") return;
    keyWanted.set(null);
    rememberKey(text.trim(), onDevice);
    setText("");
  };
  return (
    <Dialog title="API key" testId="key-dialog" onClose={() => keyWanted.set(null)}>
      <form onSubmit={submit}>
        <p>{wanted === "asked" ? "The key to use from now on." : secret === null ? "The service answers only to those who have a key." : "The service does not accept the key that was given."}</p>
        {/* What a password manager keeps the key for. */}
        <input type="text" autocomplete="username" value="LLMscope" readOnly hidden />
        <label class="field">
          <span>Key</span>
          <input type="password" autocomplete="current-password" value={text} data-testid="key-input" onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <label class="check">
          <input type="checkbox" checked={onDevice} data-testid="key-remember" onChange={(event) => setOnDevice(event.currentTarget.checked)} />
          Remember on this device
        </label>
        <p class="quiet">Otherwise it is forgotten when this tab is closed.</p>
        <div class="dialog-buttons">
          <button type="button" onClick={() => keyWanted.set(null)}>Cancel</button>
          <button type="submit" class="primary" data-testid="key-submit">Use this key</button>
        </div>
      </form>
    </Dialog>
  );
}
