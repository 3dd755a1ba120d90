/** What lies behind and above the bars: the axis with its ticks and folds, clean-up, now, and the hairline. */

import type { ReactNode } from "react";
import { type Axis, type Segment, ticksOf, xOf } from "../model/axis.ts";
import { tickWords } from "../model/timeline.ts";
import { clock, duration } from "../model/words.ts";

export const AXIS_HEIGHT = 40;
/** A tick needs this much room to its right before the segment ends. */
const TICK_PX = 34;
const PILL_PX = 30;

interface GroundProps {
  readonly axis: Axis;
  readonly height: number;
  readonly cleanUpFrom: number | null;
  /** Now, for a run that is open; else null. */
  readonly now: number | null;
}

/** Shows the lines and grounds behind the rows. */
export function Ground({ axis, height, cleanUpFrom, now }: GroundProps): ReactNode {
  const cleanX = cleanUpFrom === null || cleanUpFrom > axis.to ? null : xOf(axis, cleanUpFrom);
  const nowX = now === null || now > axis.to || now < axis.from ? null : xOf(axis, now);
  return (
    <svg className="ground" width={axis.width} height={height} aria-hidden="true">
      {ticksOf(axis).map((tick) => (
        <path key={tick.at} className="tick" d={`M${tick.x} 0V${height}`} />
      ))}
      {folds(axis).map((fold) => (
        <g key={fold.from} className="fold">
          <rect x={fold.x0} y={0} width={fold.x1 - fold.x0} height={height} />
          <path d={`M${fold.x0} 0V${height}M${fold.x1} 0V${height}`} />
        </g>
      ))}
      {cleanX !== null && (
        <g className="clean">
          <rect x={cleanX} y={0} width={axis.width - cleanX} height={height} />
          <path d={`M${cleanX} 0V${height}`} />
        </g>
      )}
      {nowX !== null && (
        <g className="now">
          <rect x={nowX} y={0} width={axis.width - nowX} height={height} />
          <path d={`M${nowX} 0V${height}`} />
        </g>
      )}
    </svg>
  );
}

function folds(axis: Axis): readonly Segment[] {
  return axis.segments.filter((segment) => segment.folded);
}

interface AxisProps extends Omit<GroundProps, "height"> {
  readonly onUnfold: (fold: Segment) => void;
}

/** Shows the axis: clock time where a segment starts, offsets within, the true length of each fold. */
export function AxisLine({ axis, cleanUpFrom, now, onUnfold }: AxisProps): ReactNode {
  const line = AXIS_HEIGHT - 10;
  const nowX = now === null || now > axis.to || now < axis.from ? null : xOf(axis, now);
  const cleanX = cleanUpFrom === null || cleanUpFrom > axis.to ? null : xOf(axis, cleanUpFrom);
  return (
    <svg className="axis" width={axis.width} height={AXIS_HEIGHT} aria-hidden="true">
      <path className="line" d={notched(axis, line)} />
      {ticks(axis, [nowX, cleanX]).map((tick) => (
        <text
          key={tick.at}
          className={tick.since === 0 ? "begin" : undefined}
          x={tick.x + 4}
          y={18}
        >
          {tick.since === 0 ? clock(tick.at) : tickWords(tick.since)}
        </text>
      ))}
      {folds(axis).map((fold) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: the key Z and a button do the same for all folds
        <g key={fold.from} className="fold-label" onClick={() => onUnfold(fold)}>
          <rect x={fold.x0} y={0} width={fold.x1 - fold.x0} height={AXIS_HEIGHT} />
          <text x={foldLabelX(fold, nowX)} y={18}>
            {duration(fold.to - fold.from)}
          </text>
        </g>
      ))}
      {cleanX !== null && (
        <text className="clean-label" x={Math.min(cleanX + 6, axis.width - 60)} y={18}>
          Clean-up
        </text>
      )}
      {nowX !== null && now !== null && (
        <g className="now-pill">
          <rect x={nowX - PILL_PX} y={5} width={2 * PILL_PX} height={18} rx={9} />
          <text x={nowX} y={18}>
            {clock(now)}
          </text>
        </g>
      )}
    </svg>
  );
}

/** The middle of a fold; where the pill of now is at its end, the middle of what the pill leaves. */
function foldLabelX(fold: Segment, nowX: number | null): number {
  const end = nowX !== null && nowX - PILL_PX < fold.x1 ? nowX - PILL_PX : fold.x1;
  return (fold.x0 + Math.max(end, fold.x0)) / 2;
}

/** The ticks that have room for their words. */
function ticks(axis: Axis, taken: readonly (number | null)[]): ReturnType<typeof ticksOf> {
  const all = ticksOf(axis);
  return all.filter((tick) => {
    if (taken.some((x) => x !== null && Math.abs(tick.x + 16 - x) < PILL_PX + 20)) return false;
    const segment = axis.segments.find(
      (one) => !one.folded && tick.x >= one.x0 && tick.x <= one.x1,
    );
    if (segment === undefined) return false;
    if (tick.since === 0) return segment.x1 - segment.x0 > TICK_PX;
    return segment.x1 - tick.x > TICK_PX;
  });
}

/** The line of the axis: at a fold it goes down two steps and up again. */
function notched(axis: Axis, y: number): string {
  let path = `M0 ${y}`;
  for (const fold of folds(axis)) {
    const { x0, x1 } = fold;
    path += `H${x0}v5h9v5H${x1 - 9}v-5h9v-5`;
  }
  return `${path}H${axis.width}`;
}

/** Shows where the pointer is, with the exact time. */
export function Hairline({ x, at }: { readonly x: number; readonly at: number }): ReactNode {
  return (
    <div className="hairline" style={{ transform: `translateX(${x}px)` }} aria-hidden="true">
      <span>{clock(at, "milliseconds")}</span>
    </div>
  );
}
