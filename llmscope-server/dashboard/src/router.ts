import { Store, useStore } from "./store";

export interface Place {
  path: string;
  query: URLSearchParams;
}

/** Changes to the query; null, undefined and the empty string remove a parameter. */
export type Patch = Record<string, string | number | null | undefined>;

const here = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search) });

export const place = new Store<Place>({ path: "/", query: new URLSearchParams() });

export function startRouter(): void {
  place.set(here());
  addEventListener("popstate", () => place.set(here()));
  document.addEventListener("click", followLink);
}

export function navigate(url: string, replace = false): void {
  history[replace ? "replaceState" : "pushState"](null, "", url);
  place.set(here());
}

export function urlOf(path: string, query: URLSearchParams | Patch): string {
  const text = (query instanceof URLSearchParams ? query : patched(new URLSearchParams(), query)).toString();
  return text === "" ? path : `${path}?${text}`;
}

export function patched(query: URLSearchParams, patch: Patch): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null || value === undefined || value === "") next.delete(name);
    else next.set(name, String(value));
  }
  return next;
}

/** The query of this page and a function that changes it. The address holds the whole state of a view. */
export function useQuery(): [URLSearchParams, (patch: Patch) => void] {
  const { path, query } = useStore(place);
  const change = (patch: Patch) => {
    const next = urlOf(path, patched(place.get().query, patch));
    if (next !== location.pathname + location.search) navigate(next);
  };
  return [query, change];
}

function followLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest?.("a");
  if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  // The browser handles links within the page.
  if (link.hash && link.pathname === location.pathname) return;
  event.preventDefault();
  const moved = link.pathname !== location.pathname;
  navigate(link.pathname + link.search);
  if (moved) scrollTo(0, 0);
}
