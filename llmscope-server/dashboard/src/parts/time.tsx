import { exactTime, localTime, utc } from "../clock";

/** A time in the local time zone, with UTC in its title. */
export function Time({ at, exact = false }: { at: string | Date; exact?: boolean }) {
  const date = typeof at === "string" ? new Date(at) : at;
  return <time dateTime={date.toISOString()} title={utc(date)}>{exact ? exactTime(date.getTime()) : localTime(date)}</time>;
}
