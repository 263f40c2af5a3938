import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { PointWords } from "./words";

interface Props {
  words: PointWords;
  x: number;
  y: number;
}

const BESIDE = 14;

/** Beside the point, on whichever side there is room. */
export function Tooltip({ words, x, y }: Props) {
  const own = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ left: 0, top: 0 });
  useLayoutEffect(() => {
    const box = own.current;
    const host = box?.offsetParent;
    if (!box || !(host instanceof HTMLElement)) return;
    const right = x + BESIDE + box.offsetWidth <= host.clientWidth;
    const left = right ? x + BESIDE : Math.max(x - BESIDE - box.offsetWidth, 0);
    const top = Math.min(Math.max(y - box.offsetHeight / 2, 0), Math.max(host.clientHeight - box.offsetHeight, 0));
    setPlace({ left, top });
  }, [words, x, y]);
  return (
    <div class="tip" ref={own} style={{ left: `${place.left}px`, top: `${place.top}px` }} data-testid="chart-tooltip" aria-hidden="true">
      <p class="tip-value">{words.value}</p>
      <p class="quiet">{words.place}</p>
      {words.beyond && <p class="tip-signal">{words.beyond}</p>}
      {words.signals.map((text) => <p class="tip-signal" key={text}>{text}</p>)}
      {words.members.length > 0 && <p class="quiet">part of {words.members.join(", ")}</p>}
    </div>
  );
}
