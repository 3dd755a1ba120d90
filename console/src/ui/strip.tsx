/** The strip of a run: a tick for each step. */

import { memo, type ReactNode } from "react";
import { type StepCounts, stripName, type Tick, ticksOf } from "../model/strip.ts";
import { useDialect } from "./dialect.ts";
import { type Hue, hueOf } from "./glyph.tsx";

const HEIGHT_PX = 14;
const LOW_PX = 5;

interface StripProps {
  readonly strip: string;
  readonly counts: StepCounts;
  readonly width: number;
}

/** Shows the strip. */
export const Strip = memo(function Strip({ strip, counts, width }: StripProps): ReactNode {
  const name = stripName(strip, counts, useDialect());
  return (
    <svg className="strip" width={width} height={HEIGHT_PX} role="img" aria-label={name}>
      <title>{name}</title>
      {ticksOf(strip, width).map((tick) => (
        <TickShape key={tick.x} tick={tick} />
      ))}
    </svg>
  );
});

/** A step that was taken back is history; while it is being taken back, or could not be, it is red. */
function hueOfTick({ status, isCleanUp }: Tick): Hue {
  if (!isCleanUp) return hueOf(status);
  if (status === "unknown") return "amber";
  return status === "completed" || status === "pending" ? "grey" : "red";
}

function TickShape({ tick }: { readonly tick: Tick }): ReactNode {
  const { shape, status, x, width } = tick;
  const className = `tick tick-${status} hue-${hueOfTick(tick)}`;
  const [left, right, middle] = [x, x + width, x + width / 2];
  switch (shape) {
    case "low":
      return (
        <rect className={className} x={x} y={HEIGHT_PX - LOW_PX} width={width} height={LOW_PX} />
      );
    case "tall":
      return <rect className={className} x={x} y={1} width={width} height={HEIGHT_PX - 1} />;
    case "hollow": {
      const line = Math.min(1.5, width / 3);
      return (
        <rect
          className={`${className} outline`}
          x={x + line / 2}
          y={2 + line / 2}
          width={width - line}
          height={HEIGHT_PX - 2 - line}
          strokeWidth={line}
        />
      );
    }
    case "diamond":
      return (
        <path
          className={className}
          d={`M${middle} 0 ${right} 7 ${middle} ${HEIGHT_PX} ${left} 7Z`}
        />
      );
    case "dot":
      return <rect className={className} x={x} y={HEIGHT_PX - 2} width={width} height={2} />;
    case "back":
      return <path className={className} d={`M${right} 2V12L${left} 7Z`} />;
  }
}
