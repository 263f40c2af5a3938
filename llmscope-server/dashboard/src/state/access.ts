import { useEffect } from "preact/hooks";
import { whoAmI } from "../api/calls";
import { isRefusal } from "../api/client";
import { key, keyWanted } from "../api/key";
import type { Scope, WhoAmI } from "../api/types";
import { Store, useStore } from "../store";

const NOBODY: WhoAmI = { scopes: [], keyless: false, version: "" };

export const who = new Store<WhoAmI | null>(null);

/** Asks who this is, whenever the key changes; without the right to read, for a key. */
export function useAccess(): void {
  const secret = useStore(key);
  useEffect(() => {
    const stopped = new AbortController();
    whoAmI(stopped.signal)
      .then((answer) => {
        who.set(answer);
        if (!answer.scopes.includes("read")) keyWanted.set("refused");
      })
      // A service that cannot be reached says so where data are missing.
      .catch((error) => isRefusal(error) && who.set(NOBODY));
    return () => stopped.abort();
  }, [secret]);
}

/** Why nothing may be changed here, or null if it may. Some changes take more than the scope `write`. */
export function useWriteBarrier(scope: Scope = "write"): string | null {
  const me = useStore(who);
  if (me === null) return "Waiting for the service to say what this key may do.";
  if (me.scopes.includes(scope)) return null;
  if (me.scopes.length === 0) return "Nothing can be changed without a key.";
  const whose = `The key${me.name ? ` “${me.name}”` : ""}`;
  return scope === "write" ? `${whose} may only read. Changing anything needs the scope “write”.` : `${whose} may not do this. It needs the scope “${scope}”.`;
}
