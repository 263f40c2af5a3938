// Times in the time zone of the browser. The title of a time shows UTC.

const two = (value: number): string => String(value).padStart(2, "0");

export const timeOfDay = (at: Date): string => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;

export const day = (at: Date): string => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;

/** The time of day, with the date unless it is today. */
export function localTime(at: Date, now = new Date()): string {
  return day(at) === day(now) ? timeOfDay(at) : `${day(at)} ${timeOfDay(at)}`;
}

/** The local time with milliseconds, because points may lie close together. */
export function exactTime(ms: number): string {
  const at = new Date(ms);
  return `${day(at)} ${timeOfDay(at)}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

export function utc(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

const DAY_MS = 86_400_000;

/** The times of points: of one day the times of day, of more days the dates and times, of more than a year the dates. */
export function pointTimes(times: readonly (Date | null)[]): string[] {
  const known = times.flatMap((at) => (at ? [at.getTime()] : []));
  const span = known.length > 0 ? Math.max(...known) - Math.min(...known) : 0;
  return times.map((at) => {
    if (!at) return "";
    if (span > 365 * DAY_MS) return day(at);
    return span >= DAY_MS ? `${day(at).slice(5)} ${timeOfDay(at).slice(0, 5)}` : timeOfDay(at);
  });
}

/** Tick labels, as precise as the distance of the ticks requires. The first tick of each day also shows the date. */
export function tickTimes(seconds: number[]): string[] {
  const apart = (seconds[1] ?? 0) - (seconds[0] ?? 0);
  let before = "";
  return seconds.map((tick) => {
    const at = new Date(tick * 1000);
    const date = day(at);
    const first = date !== before;
    before = date;
    if (apart >= 86_400) return date;
    const time = apart < 60 ? timeOfDay(at) : timeOfDay(at).slice(0, 5);
    return first ? `${time}\n${date}` : time;
  });
}
