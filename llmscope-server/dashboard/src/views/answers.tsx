import { useState } from "preact/hooks";
import type { Report } from "../api/types";
import { AnswerBadge } from "../parts/verdict";
import { counted } from "../quantity";
import { seriesTitle } from "./series-title";

const SHOWN = 20;

/** The headline and the answer about each series, the most urgent one first. */
export function Answers({ report, chosen, pick }: { report: Report; chosen: number; pick: (analysis: number) => void }) {
  const [all, setAll] = useState(false);
  const { headline, answers } = report;
  const shown = all ? answers : answers.slice(0, SHOWN);
  return (
    <section class="panel answers" aria-labelledby="headline">
      <h2 id="headline" data-testid="headline">{headline}</h2>
      <ul>
        {shown.map(({ analysis, verdict, direction, text, ...series }) => (
          <li key={analysis} data-testid="answer" data-analysis={analysis}>
            <AnswerBadge verdict={verdict} direction={direction} />
            <div>
              {answers.length > 1
                ? <button type="button" class="small" aria-pressed={analysis === chosen} data-testid="group" data-analysis={analysis} onClick={() => pick(analysis)}>{seriesTitle(series)}</button>
                : <b>{seriesTitle(series)}</b>}
              <p>{text}</p>
            </div>
          </li>
        ))}
      </ul>
      {answers.length > shown.length && <button type="button" class="small" onClick={() => setAll(true)}>Show all {counted(answers.length, "answer")}</button>}
    </section>
  );
}
