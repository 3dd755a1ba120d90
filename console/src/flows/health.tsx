/** How the runs of a flow did over time: a bar for each part of the window, failed runs in red at the foot. */

import type { ReactNode } from "react";
import {
  type FlowView,
  type FlowWindow,
  type HealthBar,
  healthBars,
  WINDOW_WORDS,
} from "../model/flows.ts";
import { clock, count, counted, moment } from "../model/words.ts";

const HEIGHT_PX = 56;
const PITCH_PX = 12;
const BAR_PX = 10;

interface HealthProps {
  readonly view: FlowView;
  readonly window: FlowWindow;
}

/** Shows the histogram. */
export function Health({ view, window }: HealthProps): ReactNode {
  const bars = healthBars(view.health, HEIGHT_PX);
  const width = Math.max(bars.length, 1) * PITCH_PX;
  const { total, failed } = view.runs;
  const [first, last] = [bars[0], bars.at(-1)];
  const words = `${counted(total, "run")} ${WINDOW_WORDS[window]}, ${count(failed)} failed`;
  return (
    <section className="health" aria-label="Health over time">
      <svg
        role="img"
        aria-label={words}
        viewBox={`0 0 ${width} ${HEIGHT_PX + 1}`}
        preserveAspectRatio="none"
      >
        {bars.map((bar, at) => (
          <Part key={bar.at} bar={bar} x={at * PITCH_PX} window={window} />
        ))}
        <path className="axis" d={`M0 ${HEIGHT_PX + 0.5}H${width}`} />
      </svg>
      <p className="axis-words">
        <span>{first && timeOf(first.at, window)}</span>
        <span className="health-keys">
          <Key name="bar" words="runs by their begin" />
          <Key name="bar failed" words="failed" />
          <Key name="bar missing" words="a step was missing" />
        </span>
        <span>{last && "now"}</span>
      </p>
    </section>
  );
}

function Part(props: {
  readonly bar: HealthBar;
  readonly x: number;
  readonly window: FlowWindow;
}): ReactNode {
  const { bar, x, window } = props;
  const { height, failedHeight, isMissing, part } = bar;
  const missing = part.missing > 0 ? `, ${counted(part.missing, "step")} missing` : "";
  return (
    <g>
      <title>{`${timeOf(bar.at, window)}: ${counted(part.runs, "run")}, ${count(part.failed)} failed${missing}`}</title>
      <rect className="hover" x={x} y={0} width={PITCH_PX} height={HEIGHT_PX} />
      {height > 0 && (
        <rect className="bar" x={x} y={HEIGHT_PX - height} width={BAR_PX} height={height} />
      )}
      {failedHeight > 0 && (
        <rect
          className="bar failed"
          x={x}
          y={HEIGHT_PX - failedHeight}
          width={BAR_PX}
          height={failedHeight}
        />
      )}
      {isMissing && (
        <rect
          className="bar missing"
          x={x}
          y={Math.max(0, HEIGHT_PX - height - 4)}
          width={BAR_PX}
          height={3}
        />
      )}
    </g>
  );
}

function timeOf(at: number, window: FlowWindow): string {
  return window === "1h" ? clock(at).slice(0, 5) : moment(at, Date.now()).replace(/:\d\d$/, "");
}

function Key({ name, words }: { readonly name: string; readonly words: string }): ReactNode {
  return (
    <span>
      <svg width="8" height="8" aria-hidden="true">
        <rect className={name} width="8" height="8" />
      </svg>{" "}
      {words}
    </span>
  );
}
