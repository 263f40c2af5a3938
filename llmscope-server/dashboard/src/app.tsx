import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { key } from "./api/key";
import { connection, startStream } from "./api/stream";
import { Header } from "./parts/header";
import { KeyDialog } from "./parts/key-dialog";
import { Empty } from "./parts/feedback";
import { place } from "./router";
import { useAccess } from "./state/access";
import { useMachineWatch } from "./state/machine";
import { useSeriesWatch } from "./state/series";
import { useStore } from "./store";
import { Analysis } from "./views/analysis";
import { Live } from "./views/live";
import { Overview } from "./views/overview";
import { Sessions } from "./views/sessions";
import { Violations } from "./views/violations";

const VIEWS: Record<string, { title: string; view: ComponentType }> = {
  "/": { title: "Overview", view: Overview },
  "/live": { title: "Live", view: Live },
  "/analysis": { title: "Analysis", view: Analysis },
  "/violations": { title: "Violations", view: Violations },
  "/sessions": { title: "Sessions", view: Sessions },
};

export function App() {
  const { path } = useStore(place);
  const known = VIEWS[path];
  useAccess();
  useSeriesWatch();
  useMachineWatch();
  useStream();
  useEffect(() => {
    document.title = `${known?.title ?? "Not found"} · LLMscope`;
  }, [path]);
  return (
    <>
      <a class="skip" href="#main">Skip to the content</a>
      <Header />
      {known ? <known.view key={path} /> : <NotFound />}
      <KeyDialog />
    </>
  );
}

/** Receives live events while the page is open, and reconnects when the key changes. */
function useStream(): void {
  const secret = useStore(key);
  useEffect(() => {
    if (connection.get() !== "paused") startStream();
  }, [secret]);
}

const NotFound = () => (
  <main id="main">
    <h1 class="sr-only">Not found</h1>
    <Empty title="This page does not exist."><p><a href="/">Go to the overview</a></p></Empty>
  </main>
);
