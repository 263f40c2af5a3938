// Alarms about shifts: the state of a series, an incident, and its end.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { close, launch, open, part, until } from "./pages.mjs";
import { quiet, serve } from "./service.mjs";

let browser, service, page;
before(async () => {
  browser = await launch();
  service = await serve({ alarm: "shift" });
});
after(async () => {
  await browser?.close();
  await service?.stop();
});

const shows = (verdict, text) => until(`${verdict}: ${text}`, async () => {
  assert.equal(await part(page, "alarm").getAttribute("data-verdict"), verdict);
  assert.match(await part(page, "alarm").innerText(), text);
  assert.equal(await part(page, "series-item").first().getAttribute("data-verdict"), verdict, "one verdict everywhere");
});

test("a series is learned, changes, and is learned again", async () => {
  await service.records(quiet(20), { end: Date.now() - 600_000 });
  page = await open(browser, `${service.url}/live`);
  await shows("not_enough_data", /Still learned\s*20 values so far/);
  await service.records(quiet(120, { seed: 8 }), { end: Date.now() - 400_000 });
  await shows("in_control", /No change: the evidence is .* % of an alarm\. A change below \d+ % cannot be noticed\. One false alarm in /);
  await service.records(quiet(40, { center: 0.45, seed: 9 }), { end: Date.now() - 300_000 });
  await shows("out_of_control", /slower by \d+ % \(\d+ to \d+ %\) since \d{4}-/);
  const [{ id }] = await service.series();
  await service.post(`/api/v1/series/${id}/relearn`);
  await shows("not_enough_data", /Still learned\s*0 values so far/);
  await close(page);
});
