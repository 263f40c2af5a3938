import { forgetKey, key, keyPrompt } from "../api/key";
import { connection, pauseStream, startStream, type Connection } from "../api/stream";
import { place } from "../router";
import { who } from "../state/access";
import { useSeries } from "../state/series";
import { useStore } from "../store";
import { theme, toggleTheme } from "../theme";
import { Icon } from "./icons";

const VIEWS = [["/", "Overview"], ["/live", "Live"], ["/analysis", "Analysis"], ["/violations", "Violations"], ["/sessions", "Sessions"]] as const;

export function Header() {
  const { path } = useStore(place);
  const open = useSeries().list?.reduce((sum, series) => sum + series.open_violations, 0) ?? 0;
  return (
    <header class="top">
      <a class="brand" href="/" aria-label="LLMscope, overview">
        <Mark />
        <span>LLMscope</span>
      </a>
      <nav aria-label="Views">
        {VIEWS.map(([to, title]) => (
          <a key={to} href={to} aria-current={path === to ? "page" : undefined} data-testid={`nav-${title.toLowerCase()}`}>
            {title}
            {to === "/violations" && open > 0 && <span class="pill" data-testid="open-violations">{open}<span class="sr-only"> open</span></span>}
          </a>
        ))}
      </nav>
      <div class="tools">
        <ConnectionState />
        <Identity />
        <ThemeToggle />
      </div>
    </header>
  );
}

const Mark = () => (
  <svg viewBox="0 0 24 24" width="24" height="24" class="mark" aria-hidden="true">
    <path class="mark-limits" d="M2 6.5h20M2 17.5h20" />
    <path class="mark-line" d="M2 13l3.4-2.4 3.4 4 3.4-3.2 3.2 2.4L19 4.6" />
    <path class="mark-signal" d="M19.4 1.2l3 3-3 3-3-3z" />
  </svg>
);

const STATES: Record<Connection, string> = { connecting: "connecting", live: "live", reconnecting: "reconnecting", paused: "paused", refused: "no access" };

function ConnectionState() {
  const state = useStore(connection);
  const paused = state === "paused";
  return (
    <span class="connection" data-state={state}>
      <span class="state" role="status" data-testid="connection" data-state={state}><i aria-hidden="true" />{STATES[state]}</span>
      <button type="button" class="bare" data-testid="pause-toggle" aria-label={paused ? "Resume live updates" : "Pause live updates"} title={paused ? "Resume live updates" : "Pause live updates"} onClick={paused ? startStream : pauseStream}>
        <Icon name={paused ? "play" : "pause"} />
      </button>
    </span>
  );
}

function Identity() {
  const me = useStore(who);
  const secret = useStore(key);
  if (!me || me.keyless) return null;
  const scope = me.scopes.at(-1);
  const label = me.name ? `${me.name}${scope ? ` (${scope})` : ""}` : "no key";
  return (
    <span class="identity">
      <button type="button" class="bare" data-testid="key-button" title="Use another key" onClick={() => keyPrompt.set("requested")}>
        <Icon name="key" /><span data-testid="whoami">{label}</span>
      </button>
      {secret !== null && <button type="button" class="bare text" data-testid="key-forget" onClick={forgetKey}>forget</button>}
    </span>
  );
}

function ThemeToggle() {
  const other = useStore(theme) === "dark" ? "light" : "dark";
  return (
    <button type="button" class="bare" data-testid="theme-toggle" aria-label={`Use the ${other} theme`} title={`Use the ${other} theme`} onClick={toggleTheme}>
      <Icon name={other === "dark" ? "moon" : "sun"} />
    </button>
  );
}
