import type { ComponentChildren } from "preact";

const paths = {
  check: <path d="M3 8.5l3.2 3.2L13 4.8" />,
  alert: <><path d="M8 2.2L14.6 13.6H1.4z" /><path d="M8 6.6v3.2M8 11.7v.1" /></>,
  wait: <><path d="M4 2h8M4 14h8M4.8 2v2.4L8 8l3.2-3.6V2M4.8 14v-2.4L8 8l3.2 3.6V14" /></>,
  sun: <><circle cx="8" cy="8" r="2.8" /><path d="M8 1.4v1.6M8 13v1.6M1.4 8H3M13 8h1.6M3.3 3.3l1.2 1.2M11.5 11.5l1.2 1.2M3.3 12.7l1.2-1.2M11.5 4.5l1.2-1.2" /></>,
  moon: <path d="M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8 5.6 5.6 0 1 0 13.2 9.6z" />,
  key: <><circle cx="5.2" cy="10.8" r="2.8" /><path d="M7.2 8.8L13 3M10.6 5.4l2 2" /></>,
  pause: <path d="M5.5 3.5v9M10.5 3.5v9" />,
  play: <path d="M5 3.2v9.6L12.6 8z" />,
  upload: <path d="M8 10.5V3M4.8 6L8 2.8 11.2 6M2.5 11v2.5h11V11" />,
  download: <path d="M8 2.5V10M4.8 7L8 10.2 11.2 7M2.5 11v2.5h11V11" />,
  link: <path d="M6 4H3v9h9v-3M9 3h4v4M13 3L7.5 8.5" />,
  flat: <path d="M3 8h10" />,
} satisfies Record<string, ComponentChildren>;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">{paths[name]}</svg>;
}
