/** The sign of a status: its hue says whose turn it is, its shape says what it is. */

import type { ReactNode } from "react";
import type { RunStatus, StepStatus } from "../model/run.ts";
import { statusWord } from "../model/words.ts";

export type Status = StepStatus | RunStatus;
export type Hue = "blue" | "violet" | "amber" | "red" | "green" | "grey";

const HUES: Readonly<Record<Status, Hue>> = {
  pending: "grey",
  queued: "grey",
  running: "blue",
  retrying: "amber",
  sleeping: "violet",
  waiting: "violet",
  completed: "green",
  failed: "red",
  timed_out: "red",
  skipped: "grey",
  cancelled: "grey",
  unknown: "amber",
  paused: "grey",
  blocked: "amber",
  compensating: "red",
  stuck: "amber",
  missing: "amber",
  not_reached: "grey",
};

/** Returns the hue of a status. */
export function hueOf(status: Status): Hue {
  return HUES[status] ?? "grey";
}

const DOTTED = <circle cx="8" cy="8" r="5.6" strokeDasharray="0.1 2.83" strokeLinecap="round" />;

const SHAPES: Readonly<Record<Status, ReactNode>> = {
  pending: DOTTED,
  queued: DOTTED,
  running: (
    <>
      <circle cx="8" cy="8" r="5.8" opacity="0.35" />
      <path className="turns" d="M8 2.2a5.8 5.8 0 0 1 5.8 5.8" />
      <circle className="solid" cx="8" cy="8" r="2" />
    </>
  ),
  retrying: <path d="M13.2 8.6A5.3 5.3 0 1 1 11.6 4.2M13.4 1.9v3.4h-3.4" />,
  sleeping: <path d="M13 9.6A5.6 5.6 0 0 1 6.4 3a5.6 5.6 0 1 0 6.6 6.6Z" />,
  waiting: <path d="M6.2 3.2A5.6 5.6 0 1 1 6.2 12.8M1.4 8h7.2M6.2 5.4 8.8 8l-2.6 2.6" />,
  completed: <path d="m2.8 8.6 3.4 3.4 7-7.8" />,
  failed: (
    <>
      <circle className="solid" cx="8" cy="8" r="6.4" />
      <path className="cut" d="m5.7 5.7 4.6 4.6m0-4.6-4.6 4.6" />
    </>
  ),
  timed_out: (
    <>
      <circle className="solid" cx="8" cy="8" r="6.4" />
      <path className="cut" d="M8 4.4V8l2.4 1.6" />
    </>
  ),
  skipped: <path d="m3.2 4 4 4-4 4m5-8 4 4-4 4" />,
  cancelled: (
    <>
      <circle className="solid" cx="8" cy="8" r="6.4" />
      <path className="cut" d="M5.2 8h5.6" />
    </>
  ),
  unknown: (
    <>
      <path d="M8 1.4 14.6 8 8 14.6 1.4 8Z" />
      <path d="M6.4 6.5c.2-1.9 3.2-1.8 3.2 0 0 1.1-1.6 1.2-1.6 2.3m0 1.7v.2" strokeWidth="1.3" />
    </>
  ),
  paused: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M6.3 5.7v4.6m3.4-4.6v4.6" />
    </>
  ),
  blocked: (
    <>
      <path className="solid" d="M8 1 15 8l-7 7-7-7Z" />
      <path className="cut" d="M8 4.8v3.8m0 2v.3" />
    </>
  ),
  compensating: <path d="M5.4 2.6 2.2 5.8 5.4 9M2.6 5.8h7a3.6 3.6 0 0 1 0 7.2H6" />,
  stuck: (
    <>
      <path d="M8 1.4 14.6 8 8 14.6 1.4 8Z" />
      <path d="M5.4 8v.1M8 8v.1m2.6-.1v.1" strokeWidth="1.8" />
    </>
  ),
  missing: <path d="M8 1.4 14.6 8 8 14.6 1.4 8Z" strokeDasharray="2.6 2.1" strokeLinecap="butt" />,
  not_reached: <circle cx="8" cy="8" r="2.4" />,
};

interface GlyphProps {
  readonly status: Status;
  /** 16 in rows, 14 in chips, 18 in titles. */
  readonly size?: number;
  /** `word` where the status is written beside it. */
  readonly label?: "alone" | "word";
  /** What the status is called, where that is not its own word. */
  readonly word?: string;
}

/** Shows the sign of a status. Alone it has the status as its name. */
export function Glyph(props: GlyphProps): ReactNode {
  const { status, size = 16, label = "alone", word = statusWord(status) } = props;
  const named = label === "alone";
  return (
    <svg
      className={`glyph hue-${hueOf(status)}`}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      role={named ? "img" : undefined}
      aria-label={named ? word : undefined}
      aria-hidden={named ? undefined : true}
    >
      {named && <title>{word}</title>}
      {SHAPES[status] ?? DOTTED}
    </svg>
  );
}
