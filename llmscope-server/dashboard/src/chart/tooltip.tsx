import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { PointLabels } from "./labels";

interface Props {
  labels: PointLabels;
  x: number;
  y: number;
}

const DISTANCE = 14;

/** A tooltip next to the point, on the side that has room for it. */
export function Tooltip({ labels, x, y }: Props) {
  const own = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ left: 0, top: 0 });
  useLayoutEffect(() => {
    const box = own.current;
    const host = box?.offsetParent;
    if (!box || !(host instanceof HTMLElement)) return;
    const right = x + DISTANCE + box.offsetWidth <= host.clientWidth;
    const left = right ? x + DISTANCE : Math.max(x - DISTANCE - box.offsetWidth, 0);
    const top = Math.min(Math.max(y - box.offsetHeight / 2, 0), Math.max(host.clientHeight - box.offsetHeight, 0));
    setPlace({ left, top });
  }, [labels, x, y]);
  return (
    <div class="tip" ref={own} style={{ left: `${place.left}px`, top: `${place.top}px` }} data-testid="chart-tooltip" aria-hidden="true">
      <p class="tip-value">{labels.value}</p>
      <p class="quiet">{labels.place}</p>
      {labels.beyond && <p class="tip-signal">{labels.beyond}</p>}
      {labels.signals.map((text) => <p class="tip-signal" key={text}>{text}</p>)}
      {labels.members.length > 0 && <p class="quiet">part of {labels.members.join(", ")}</p>}
    </div>
  );
}
