// Replaces the images of the page with interactive charts. Without this script, the page is still complete.
"use strict";

(() => {
  const { analyses } = JSON.parse(document.getElementById("data").textContent);
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };

  // The charts of one analysis, which share zoom and axis.
  function analysisCharts(analysis) {
    const section = document.getElementById(analysis.id);
    const figures = [...section.querySelectorAll("figure.chart")];
    const timed = analysis.charts.every((chart) => chart.t);
    const charts = [];
    let byTime = false, near = false;

    const announcement = make("p", { className: "announcement" });
    announcement.setAttribute("aria-live", "polite");
    const reset = make("button", { type: "button", textContent: "Reset zoom", disabled: true, onclick: () => charts[0]?.reset() });
    const toggle = make("button", { type: "button", textContent: "Time axis", onclick: () => switchAxis(!byTime) });
    toggle.setAttribute("aria-pressed", "false");
    const closer = make("button", { type: "button", textContent: "Near the limits", hidden: true, onclick: () => setNear(!near) });
    closer.setAttribute("aria-pressed", "false");
    const csv = make("button", { type: "button", textContent: "CSV", title: "Save the points as CSV", onclick: () => save(analysis) });
    csv.setAttribute("aria-label", "Save the points as CSV");
    figures[0].querySelector("figcaption").append(make("div", { className: "tools" }, closer, ...(timed ? [toggle] : []), reset, csv));
    figures[0].append(announcement);

    const hosts = figures.map((figure, k) => {
      const host = make("div", { className: "live", tabIndex: 0 });
      host.setAttribute("role", "application");
      host.setAttribute("aria-roledescription", "control chart");
      const { title, n, violations } = analysis.charts[k];
      host.setAttribute(
        "aria-label",
        `${title} of ${analysis.metric}, ${n} points, ${violations.length} violations. ` +
          "Arrow keys move between points, n and p jump to the next and previous signal, plus and minus zoom, Escape shows all points.",
      );
      figure.querySelector(".still").before(host);
      return host;
    });

    function zoomed(range, from) {
      charts.forEach((chart, k) => k !== from && chart.setRange(range));
      requestAnimationFrame(() => { reset.disabled = charts.every((chart) => chart.isWhole()); });
    }

    function draw() {
      charts.splice(0).forEach((chart) => chart.destroy());
      hosts.forEach((host, k) => {
        charts.push(controlChart(host, analysis, analysis.charts[k], {
          byTime,
          height: k === 0 ? 340 : 170,
          zoomed: (range) => zoomed(range, k),
          announce: (text) => { announcement.textContent = text; },
        }));
        host.closest("figure").dataset.ready = "true";
      });
      reset.disabled = true;
      closer.hidden = !charts.some((chart) => chart.isWide);
      if (near) setNear(true);
    }

    // Draws far points at the edge, so that the others are easier to distinguish.
    function setNear(value) {
      near = value;
      closer.setAttribute("aria-pressed", String(near));
      charts.forEach((chart) => chart.setNear(near));
    }

    function switchAxis(value) {
      byTime = value;
      toggle.setAttribute("aria-pressed", String(byTime));
      draw();
    }

    section.querySelectorAll("table.violations tr").forEach((row) => {
      if (!row.dataset.first) {
        row.append(make("td", { className: "goto" }));
        return;
      }
      const [first, last] = [Number(row.dataset.first), Number(row.dataset.last)];
      const show = make("button", { type: "button", textContent: "Show", onclick: () => {
        charts[0].focus(first, last);
        figures[0].scrollIntoView({ block: "center" });
        hosts[0].focus({ preventScroll: true });
      } });
      show.setAttribute("aria-label", `Show points ${first} to ${last} on the chart`);
      row.append(make("td", { className: "goto" }, show));
      row.addEventListener("mouseenter", () => charts[0].mark(first, last));
      row.addEventListener("mouseleave", () => charts[0].mark(null));
    });

    draw();
    new ResizeObserver(() => charts.forEach((chart) => chart.resize())).observe(hosts[0]);
    return { redraw: () => charts.forEach((chart) => chart.redraw()) };
  }

  // Saves the points of both charts as a local file. Nothing is sent over the network.
  function save(analysis) {
    const cell = (value) => (/[",\n\r]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
    const at = (line, k) => (typeof line === "number" ? line : line[k]);
    const rows = [["chart", "point", "time", "value", "lower", "center", "upper", "signals"]];
    for (const chart of analysis.charts) {
      chart.i.forEach((position, k) => {
        const rules = chart.violations.filter(([, , signal, last]) => signal <= position && position <= last).map(([rule]) => rule);
        const time = chart.t ? new Date(chart.t[k]).toISOString() : "";
        rows.push([chart.kind, position, time, chart.x[k], at(chart.lower, k), at(chart.center, k), at(chart.upper, k), rules.join(" ")]);
      });
    }
    const text = rows.map((row) => row.map((value) => cell(String(value))).join(",")).join("\n") + "\n";
    const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    make("a", { href: url, download: analysis.file }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  document.body.classList.add("scripted");
  const waiting = new Map(analyses.map((analysis) => [document.getElementById(analysis.id), analysis]));
  const drawn = [];
  // Each chart is drawn when it comes near the visible part of the page, so that pages with many charts open fast.
  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting || !waiting.has(target)) continue;
      near.unobserve(target);
      drawn.push(analysisCharts(waiting.get(target)));
      waiting.delete(target);
    }
  }, { rootMargin: "1200px" });
  for (const section of waiting.keys()) near.observe(section);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach((charts) => charts.redraw()));
})();
