// One interactive control chart: uPlot draws points and axes; this file adds zones, limits, signals, tooltips and keys.
"use strict";

const controlChart = (() => {
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const band = (alpha) => `rgb(${css("--band")} / ${alpha})`;
  const at = (line, k) => (typeof line === "number" ? line : line[k]);
  const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif';

  // The points as columns, with a null at each gap of the data, so that no line crosses a gap.
  function columns(chart, factor, byTime) {
    const xs = byTime ? chart.t.map((t) => t / 1000) : chart.i;
    const breaks = new Set(chart.breaks);
    const x = [], y = [], of = [];
    chart.i.forEach((position, k) => {
      if (k > 0 && breaks.has(position)) {
        x.push((xs[k - 1] + xs[k]) / 2);
        y.push(null);
        of.push(-1);
      }
      x.push(xs[k]);
      y.push(chart.x[k] * factor);
      of.push(k);
    });
    return { data: [x, y], of, xs };
  }

  // For each drawn point, the violations that signal there, and the violations whose pattern contains it.
  function violationsByPoint(chart) {
    const found = chart.i.map(() => null);
    const start = (position) => {
      let low = 0, high = chart.i.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (chart.i[middle] < position) low = middle + 1;
        else high = middle;
      }
      return low;
    };
    for (const violation of chart.violations) {
      const [, first, signal, last] = violation;
      for (let k = start(first); k < chart.i.length && chart.i[k] <= last; k++) {
        found[k] ??= { signals: [], members: [] };
        (chart.i[k] >= signal ? found[k].signals : found[k].members).push(violation);
      }
    }
    return found;
  }

  const clock = (ms) => new Date(ms).toISOString().replace("T", " ").replace(/\.?0*Z$/, "") + " UTC";

  // Labels moved until they are at least `room` apart, and none is below `bottom`.
  function withoutOverlap(labels, room, bottom) {
    const sorted = labels.sort((a, b) => a[0] - b[0]);
    sorted.forEach((label, k) => { if (k > 0) label[0] = Math.max(label[0], sorted[k - 1][0] + room); });
    for (let k = sorted.length - 1, limit = bottom; k >= 0; k--, limit -= room) sorted[k][0] = Math.min(sorted[k][0], limit);
    return sorted;
  }

  const wholeNumbers = (u, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? String(tick) : ""));

  // Tick labels in UTC, as precise as the distance of the ticks requires. The first tick of each day also shows the date.
  function times(u, ticks) {
    const step = ticks[1] - ticks[0];
    const end = step < 1 ? 21 : step < 60 ? 19 : 16;
    let day = "";
    return ticks.map((tick) => {
      const text = new Date(tick * 1000).toISOString();
      const date = text.slice(0, 10);
      const first = date !== day;
      day = date;
      return step >= 86400 ? date : text.slice(11, end) + (first ? `\n${date}` : "");
    });
  }

  // Creates a chart in `host`. It calls `zoomed(range)` for each new range, with null for all points, and `announce(text)` for
  // screen readers.
  return function controlChart(host, analysis, chart, { byTime, height, zoomed, announce }) {
    const { factor, symbol, decimals } = chart;
    const { data, of, xs } = columns(chart, factor, byTime);
    const found = violationsByPoint(chart);
    const number = (value) => (value * factor).toFixed(decimals);
    const quantity = (value) => (symbol ? `${number(value)} ${symbol}` : number(value));
    const last = xs.length - 1;
    // The charts of one analysis share one axis, which spans the points of the first chart.
    const level = analysis.charts[0];
    const ends = byTime ? [level.t[0] / 1000, level.t.at(-1) / 1000] : [level.i[0], level.i.at(-1)];
    const pad = Math.max((ends[1] - ends[0]) * 0.01, 0.5);
    const whole = [ends[0] - pad, ends[1] + pad];
    const isDispersion = ["moving-range", "range", "standard-deviation"].includes(chart.kind);
    let near = false, highlight = null, current = -1, quiet = false, byKey = false;

    const tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;

    // The range of visible points and limits, and of specification limits unless they are far away. In the mode “near the
    // limits”: the limits and half their distance on both sides.
    function yRange(u, low, high) {
      const [from, to] = visible(u);
      if (near) low = high = null;
      for (const line of [chart.lower, chart.upper]) {
        for (let k = from; k <= to; k += typeof line === "number" ? to - from + 1 : 1) {
          const value = at(line, k) * factor;
          low = Math.min(low ?? value, value);
          high = Math.max(high ?? value, value);
        }
      }
      const span = high - low || Math.abs(high) || 1;
      const [bottom, top] = [low, high];
      for (const value of chart.specification ?? []) {
        if (value === null || value * factor < bottom - 1.5 * span || value * factor > top + 1.5 * span) continue;
        low = Math.min(low, value * factor);
        high = Math.max(high, value * factor);
      }
      const margin = (high - low || span) * (near ? 0.5 : 0.06);
      const floor = bottom >= 0 && low - margin < 0 ? 0 : low - margin;
      return [low === 0 && bottom === 0 ? 0 : floor, high + margin];
    }

    // The indices of the first and last visible point.
    function visible(u) {
      const { min, max } = u.scales.x;
      if (min == null) return [0, last];
      let from = xs.findIndex((x) => x >= min), to = last;
      while (to > 0 && xs[to] > max) to--;
      if (from < 0) from = last;
      return [Math.min(from, to), Math.max(from, to)];
    }

    // Calls `draw(left, right, k)` for each span of points in which `same(k, k + 1)` holds.
    function spans(u, same, draw) {
      const [from, to] = visible(u);
      const { left, width } = u.bbox;
      const edge = (k) => (k <= 0 ? left : k > last ? left + width : u.valToPos((xs[k - 1] + xs[k]) / 2, "x", true));
      const clip = (x) => Math.min(Math.max(x, left), left + width);
      let begin = Math.max(from - 1, 0);
      const end = Math.min(to + 1, last);
      for (let k = begin; k <= end; k++) {
        if (k === end || !same(k, k + 1)) {
          draw(clip(edge(begin)), clip(k === last ? left + width : edge(k + 1)), k);
          begin = k + 1;
        }
      }
    }

    const constant = [chart.lower, chart.center, chart.upper, chart.sigma].every((line) => typeof line === "number");
    const same = constant ? () => true : (a, b) => [chart.lower, chart.center, chart.upper].every((l) => at(l, a) === at(l, b));

    // The edge of a zone, `multiple` sigmas from the center line; with a transformation, measured on the transformed scale.
    function edge(k, multiple) {
      const [center, offset, power] = [at(chart.center, k), multiple * at(chart.sigma, k), chart.lambda];
      if (power === undefined) return center + offset;
      if (power === 0) return center * Math.exp(offset);
      return Math.max(center ** power + offset, 0) ** (1 / power);
    }

    function zones(u) {
      const y = (value) => u.valToPos(value * factor, "y", true);
      u.ctx.save();
      inside(u);
      spans(u, same, (left, right, k) => {
        const [low, high] = [at(chart.lower, k), at(chart.upper, k)];
        for (const multiple of [3, 2, 1]) {
          const top = y(Math.min(edge(k, multiple), high));
          const bottom = y(Math.max(edge(k, -multiple), low));
          u.ctx.fillStyle = band(isDispersion ? 0.03 : 0.075);
          u.ctx.fillRect(left, top, right - left, bottom - top);
        }
      });
      if (highlight) {
        const x = (k) => u.valToPos(xs[k], "x", true);
        const width = Math.max(x(highlight[1]) - x(highlight[0]), 0) + 8 * uPlot.pxRatio;
        u.ctx.fillStyle = css("--bad");
        u.ctx.globalAlpha = 0.12;
        u.ctx.fillRect(x(highlight[0]) - 4 * uPlot.pxRatio, u.bbox.top, width, u.bbox.height);
      }
      u.ctx.restore();
    }

    function inside(u) {
      const { left, top, width, height } = u.bbox;
      u.ctx.beginPath();
      u.ctx.rect(left, top, width, height);
      u.ctx.clip();
    }

    // Center line, limits and specification limits, with their values in the right margin.
    function lines(u) {
      const { ctx, bbox } = u;
      const ratio = uPlot.pxRatio;
      const [, to] = visible(u);
      const labels = [];
      const rule = (name, line, color, dash) => {
        ctx.strokeStyle = color;
        ctx.lineWidth = 1.2 * ratio;
        ctx.setLineDash(dash.map((length) => length * ratio));
        ctx.beginPath();
        spans(u, (a, b) => at(line, a) === at(line, b), (left, right, k) => {
          const y = u.valToPos(at(line, k) * factor, "y", true);
          ctx.moveTo(left, y);
          ctx.lineTo(right, y);
        });
        ctx.stroke();
        const y = u.valToPos(at(line, to) * factor, "y", true);
        if (y >= bbox.top - 1 && y <= bbox.top + bbox.height + 1) labels.push([y, `${name} ${number(at(line, to))}`, color]);
      };
      ctx.save();
      ctx.save();
      inside(u);
      rule("UCL", chart.upper, css("--bad"), [6, 4]);
      rule("CL", chart.center, css("--good"), []);
      // A lower limit of 0 coincides with the axis.
      if (chart.lower !== 0) rule("LCL", chart.lower, css("--bad"), [6, 4]);
      ["LSL", "target", "USL"].forEach((name, k) => {
        const value = chart.specification?.[k];
        if (value != null) rule(name, value, css("--spec"), [2, 3]);
      });
      events(u);
      change(u);
      ctx.restore();
      changeLabel(u);
      ctx.font = FONT.replace("12px", `${12 * ratio}px`);
      ctx.textAlign = "left";
      ctx.textBaseline = "middle";
      for (const [y, text, color] of withoutOverlap(labels, 14 * ratio, bbox.top + bbox.height)) {
        ctx.fillStyle = color;
        ctx.fillText(text, bbox.left + bbox.width + 8 * ratio, y);
      }
      ctx.restore();
    }

    // Events, drawn before the first point after each event. Letters that would overlap are joined: `B–D`.
    function events(u) {
      const { ctx, bbox } = u;
      const ratio = uPlot.pxRatio;
      ctx.strokeStyle = ctx.fillStyle = css("--muted");
      ctx.lineWidth = ratio;
      ctx.setLineDash([ratio, 3 * ratio]);
      ctx.font = FONT.replace("12px", `600 ${12 * ratio}px`);
      ctx.textAlign = "left";
      ctx.textBaseline = "top";
      const places = [];
      for (const [letter, point] of analysis.events) {
        const k = chart.i.findIndex((position) => position >= point);
        if (k < 0) continue;
        const x = u.valToPos(k > 0 ? (xs[k - 1] + xs[k]) / 2 : xs[k], "x", true);
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
        const before = places.at(-1);
        if (before && x - before.x < 26 * ratio) before.last = letter;
        else places.push({ x, first: letter, last: letter });
      }
      for (const { x, first, last } of chart === analysis.charts[0] ? places : []) {
        ctx.fillText(first === last ? first : `${first}–${last}`, x + 4 * ratio, bbox.top + 2 * ratio);
      }
    }

    // The change of the level, drawn before the first point after it.
    function change(u) {
      const x = changeAt(u);
      if (x === null) return;
      const { ctx, bbox } = u;
      ctx.strokeStyle = css(`--${analysis.change.tone}`);
      ctx.lineWidth = 2 * uPlot.pxRatio;
      ctx.setLineDash([]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }

    // The size of the change, in the margin above the first chart, so that it hides no point.
    function changeLabel(u) {
      const x = changeAt(u);
      const { left, top, width } = u.bbox;
      if (x === null || x < left || x > left + width || chart !== level) return;
      const { ctx } = u;
      const ratio = uPlot.pxRatio;
      ctx.fillStyle = css(`--${analysis.change.tone}`);
      ctx.font = FONT.replace("12px", `600 ${14 * ratio}px`);
      ctx.textAlign = "center";
      ctx.textBaseline = "bottom";
      ctx.fillText(analysis.change.label, x, top - 4 * ratio);
    }

    function changeAt(u) {
      const k = analysis.change ? chart.i.findIndex((position) => position >= analysis.change.point) : -1;
      return k < 0 ? null : u.valToPos(k > 0 ? (xs[k - 1] + xs[k]) / 2 : xs[k], "x", true);
    }

    // Draws a filled dot beyond a control limit, and a ring where another rule signals.
    function signals(u) {
      const { ctx } = u;
      const ratio = uPlot.pxRatio;
      const [from, to] = visible(u);
      const sparse = (to - from) / (u.bbox.width / ratio) < 0.35;
      ctx.save();
      inside(u);
      ctx.strokeStyle = css("--bad");
      ctx.lineWidth = 1.3 * ratio;
      const { top, height } = u.bbox;
      for (let k = from; k <= to; k++) {
        const [x, y] = [u.valToPos(xs[k], "x", true), u.valToPos(chart.x[k] * factor, "y", true)];
        if (y < top || y > top + height) {
          drawOutside(ctx, x, y < top ? top : top + height, y < top ? ratio : -ratio);
          continue;
        }
        if (!found[k]?.signals.length) continue;
        const beyond = chart.x[k] > at(chart.upper, k) || chart.x[k] < at(chart.lower, k);
        ctx.beginPath();
        ctx.arc(x, y, (beyond || sparse ? 3.4 : 2) * ratio, 0, 2 * Math.PI);
        ctx.fillStyle = beyond ? css("--bad") : css("--paper");
        if (beyond || sparse) ctx.fill();
        ctx.stroke();
      }
      ctx.restore();
    }

    // A triangle at the edge points towards a point outside the visible range.
    function drawOutside(ctx, x, edge, up) {
      ctx.beginPath();
      ctx.moveTo(x, edge + up);
      ctx.lineTo(x - 4.5 * Math.abs(up), edge + 9 * up);
      ctx.lineTo(x + 4.5 * Math.abs(up), edge + 9 * up);
      ctx.closePath();
      ctx.fillStyle = css("--bad");
      ctx.fill();
    }

    // The tooltip of a point as lines of text: value, details, signals.
    function tooltipLines(k) {
      const position = chart.i[k];
      const lines = [[`${quantity(chart.x[k])}`, "b"], [`point ${position}${chart.t ? ` · ${clock(chart.t[k])}` : ""}`, "muted"]];
      for (const [rule, first, , end, side] of found[k]?.signals ?? []) {
        lines.push([`${rule}: ${analysis.rules[rule]}`, "signals"]);
        lines.push([`${side === "both" ? "both sides" : side}, ${first === end ? `point ${first}` : `points ${first}–${end}`}`, "muted"]);
      }
      for (const [rule, first, , end] of found[k]?.members ?? []) {
        lines.push([`part of ${rule}, points ${first}–${end}`, "muted"]);
      }
      for (const [letter, point, message] of analysis.events) {
        if (point === position) lines.push([`before it, ${letter}: ${message}`, "muted"]);
      }
      return lines;
    }

    function show(u, k) {
      current = k;
      if (k < 0) {
        tip.hidden = true;
        return;
      }
      tip.replaceChildren(...tooltipLines(k).map(([text, kind]) => {
        const line = document.createElement("p");
        const inner = kind === "b" ? line.appendChild(document.createElement("b")) : line;
        inner.textContent = text;
        if (kind && kind !== "b") line.className = kind;
        return line;
      }));
      tip.hidden = false;
      const x = u.valToPos(xs[k], "x"), y = u.valToPos(chart.x[k] * factor, "y");
      const { left, width, height } = u.over.getBoundingClientRect();
      const preferred = x + 14 + tip.offsetWidth > width ? x - 14 - tip.offsetWidth : x + 14;
      const room = document.documentElement.clientWidth - left - tip.offsetWidth - 8;
      tip.style.left = `${Math.max(Math.min(preferred, room), 8 - left)}px`;
      tip.style.top = `${Math.max(Math.min(y - tip.offsetHeight / 2, height - tip.offsetHeight), -8)}px`;
    }

    const many = () => chart.i.length > 400;
    const axis = { stroke: () => css("--muted"), font: FONT, ticks: { show: false }, grid: { stroke: () => css("--rule"), width: 1 } };
    const labelWidth = Math.max(...["UCL", "CL", "LCL"].map((n, k) => `${n} ${number(at([chart.upper, chart.center, chart.lower][k], last))}`.length)) * 7 + 14;
    const options = {
      width: Math.max(host.clientWidth, 200),
      height,
      padding: [analysis.change && chart === level ? 26 : 10, Math.min(Math.max(labelWidth, 76), 140), 0, 0],
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: true },
        // The cursor skips gaps.
        dataIdx: (u, series, index) => (of[index] === -1 ? index - 1 : index),
        points: { size: 9, width: 2, stroke: () => css("--accent"), fill: () => css("--paper") },
        bind: { dblclick: () => () => { reset(); return null; } },
      },
      scales: { x: { time: byTime, range: (u, min, max) => [min ?? whole[0], max ?? whole[1]] }, y: { range: yRange } },
      axes: [
        { ...axis, grid: { show: false }, ...(byTime ? { size: 42, space: 84, values: times } : { size: 28, values: wholeNumbers }) },
        { ...axis, size: 62 },
      ],
      series: [
        {},
        {
          stroke: () => css("--line"),
          width: 1,
          spanGaps: false,
          points: { show: (u, series, from, to) => to - from < 400, size: 4, fill: () => css("--line"), stroke: () => css("--line"), width: 0 },
        },
      ],
      hooks: {
        drawClear: [zones],
        draw: [lines, signals],
        setCursor: [(u) => byKey || show(u, u.cursor.left >= 0 && u.cursor.idx != null ? of[u.cursor.idx] : -1)],
        setScale: [(u, key) => { if (key === "x" && !quiet) zoomed([u.scales.x.min, u.scales.x.max]); }],
      },
    };

    data[0].length && (options.scales.x.min = whole[0], options.scales.x.max = whole[1]);
    const u = new uPlot(options, data, host);
    u.over.append(tip);
    setRange(null);

    // Sets the visible range without calling `zoomed`; null shows all points.
    function setRange(range) {
      quiet = true;
      const [min, max] = range ?? whole;
      u.setScale("x", { min, max });
      // uPlot applies the range in the next microtask.
      queueMicrotask(() => queueMicrotask(() => { quiet = false; }));
    }

    function reset() {
      setRange(null);
      zoomed(null);
    }

    function zoom(by) {
      const { min, max } = u.scales.x;
      const middle = current >= 0 ? xs[current] : (min + max) / 2;
      const range = [Math.max(middle - (middle - min) * by, whole[0]), Math.min(middle + (max - middle) * by, whole[1])];
      setRange(range);
      zoomed(range);
    }

    function go(k) {
      if (k < 0 || k > last) return;
      const { min, max } = u.scales.x;
      current = k;
      if (xs[k] < min || xs[k] > max) {
        const half = (max - min) / 2;
        const range = [xs[k] - half, xs[k] + half];
        setRange(range);
        zoomed(range);
      }
      announce(tooltipLines(k).map(([text]) => text).join(". "));
      // Wait until uPlot has applied the range.
      queueMicrotask(() => {
        if (current !== k) return;
        byKey = true;
        u.setCursor({ left: u.valToPos(xs[k], "x"), top: u.valToPos(chart.x[k] * factor, "y") });
        byKey = false;
        show(u, k);
      });
    }

    const next = (step) => {
      let k = current + step;
      while (k >= 0 && k <= last && !found[k]?.signals.length) k += step;
      return k;
    };
    const page = () => Math.max(1, Math.round((visible(u)[1] - visible(u)[0]) / 10));
    const keys = {
      ArrowRight: () => go(current + 1),
      ArrowLeft: () => go(current < 0 ? last : current - 1),
      PageDown: () => go(Math.min(current + page(), last)),
      PageUp: () => go(Math.max(current - page(), 0)),
      Home: () => go(0),
      End: () => go(last),
      n: () => go(next(1)),
      p: () => go(next(-1)),
      "+": () => zoom(0.5),
      "=": () => zoom(0.5),
      "-": () => zoom(2),
      Escape: reset,
      0: reset,
    };
    host.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });
    host.addEventListener("blur", () => show(u, -1));

    return {
      setRange,
      reset,
      // True if outliers make the other points hard to distinguish.
      isWide: chart.x.some((x, k) => {
        const width = at(chart.upper, k) - at(chart.lower, k);
        return x > at(chart.upper, k) + 1.5 * width || x < at(chart.lower, k) - 1.5 * width;
      }),
      setNear(value) {
        near = value;
        const { min, max } = u.scales.x;
        setRange([min, max]);
      },
      redraw: () => u.redraw(false, true),
      resize: () => u.setSize({ width: Math.max(host.clientWidth, 200), height }),
      destroy: () => u.destroy(),
      range: () => [u.scales.x.min, u.scales.x.max],
      isWhole: () => Math.abs(u.scales.x.min - whole[0]) < 1e-9 && Math.abs(u.scales.x.max - whole[1]) < 1e-9,
      // Zooms to the points from `first` to `end` and the points around them, and highlights them.
      focus(first, end) {
        const from = chart.i.findIndex((position) => position >= first);
        let to = chart.i.findLastIndex((position) => position <= end);
        if (from < 0 || to < from) return;
        const around = Math.max(Math.ceil((to - from) * 1.5), 12);
        highlight = [from, to];
        const range = [xs[Math.max(from - around, 0)], xs[Math.min(to + around, last)]];
        setRange(range);
        zoomed(range);
      },
      mark(first, end) {
        const from = chart.i.findIndex((position) => position >= first);
        highlight = first == null || from < 0 ? null : [from, Math.max(chart.i.findLastIndex((position) => position <= end), from)];
        u.redraw(false, false);
      },
    };
  };
})();
