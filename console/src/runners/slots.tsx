/** The slots of a runner: a cell each, or a bar with numbers where there are many. */

import type { ReactNode } from "react";
import { count } from "../model/words.ts";

const CELLS_MAX = 32;
const PITCH_PX = 8;
const CELL_PX = 6;
const HEIGHT_PX = 14;
const BAR_PX = 128;

interface SlotsProps {
  readonly used: number;
  readonly of: number;
}

/** Shows the slots, with their numbers beside them. */
export function Slots({ used, of }: SlotsProps): ReactNode {
  return (
    <span className="slots">
      {of <= CELLS_MAX ? <Cells used={used} of={of} /> : <Bar used={used} of={of} />}
      <span>{`${count(used)} of ${count(of)}`}</span>
    </span>
  );
}

function Cells({ used, of }: SlotsProps): ReactNode {
  const rows = of > 16 ? 2 : 1;
  const columns = Math.ceil(of / rows);
  const height = rows === 1 ? HEIGHT_PX : HEIGHT_PX / 2 - 1;
  return (
    <svg width={columns * PITCH_PX} height={HEIGHT_PX} aria-hidden="true">
      {Array.from({ length: of }, (_, at) => (
        <rect
          key={`slot ${at}`}
          className={at < used ? "slot used" : "slot"}
          x={(at % columns) * PITCH_PX + 0.5}
          y={Math.floor(at / columns) * (height + 2) + 0.5}
          width={CELL_PX - 1}
          height={height - 1}
        />
      ))}
    </svg>
  );
}

function Bar({ used, of }: SlotsProps): ReactNode {
  const share = of === 0 ? 0 : Math.min(1, used / of);
  return (
    <svg width={BAR_PX} height={HEIGHT_PX} aria-hidden="true">
      <rect className="slot" x={0.5} y={0.5} width={BAR_PX - 1} height={HEIGHT_PX - 1} />
      <rect
        className="slot used"
        x={0.5}
        y={0.5}
        width={share * (BAR_PX - 1)}
        height={HEIGHT_PX - 1}
      />
    </svg>
  );
}
