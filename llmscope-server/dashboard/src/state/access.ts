import { useEffect } from "preact/hooks";
import { whoAmI } from "../api/calls";
import { isRefusal } from "../api/client";
import { key, keyPrompt } from "../api/key";
import type { Scope, WhoAmI } from "../api/types";
import { Store, useStore } from "../store";

const ANONYMOUS: WhoAmI = { scopes: [], keyless: false, version: "" };

export const who = new Store<WhoAmI | null>(null);

/** Loads name and scopes of the current key whenever the key changes. Opens the key dialog if the key may not read. */
export function useAccess(): void {
  const secret = useStore(key);
  useEffect(() => {
    const stopped = new AbortController();
    whoAmI(stopped.signal)
      .then((answer) => {
        who.set(answer);
        if (!answer.scopes.includes("read")) keyPrompt.set("refused");
      })
      // If the service cannot be reached, each view reports it.
      .catch((error) => isRefusal(error) && who.set(ANONYMOUS));
    return () => stopped.abort();
  }, [secret]);
}

/** Why the current key may not make changes, or null if it may. Some changes need more than the scope `write`. */
export function useWriteBarrier(scope: Scope = "write"): string | null {
  const me = useStore(who);
  if (me === null) return "Waiting for the scopes of this key.";
  if (me.scopes.includes(scope)) return null;
  if (me.scopes.length === 0) return "Changes need a key.";
  const whose = `The key${me.name ? ` “${me.name}”` : ""}`;
  return scope === "write" ? `${whose} may only read. Changes need the scope “write”.` : `${whose} may not do this. This change needs the scope “${scope}”.`;
}
