/** One row of the list of runs: a line of a table on the desk, a card on the phone. */

import { memo, type ReactNode } from "react";
import { doingOf, type Glance } from "../model/glance.ts";
import { instant } from "../model/instants.ts";
import { rowId } from "../model/observed-words.ts";
import { hasEnded, type RunRow } from "../model/run.ts";
import { lettersOf } from "../model/strip.ts";
import {
  capital,
  counted,
  duration,
  fullMoment,
  shortMoment,
  statusWord,
  visible,
} from "../model/words.ts";
import { Elapsed } from "../ui/elapsed.tsx";
import { Glyph, hueOf } from "../ui/glyph.tsx";
import { GridRow } from "../ui/grid-table.tsx";
import { Icon } from "../ui/icon.tsx";
import { Link } from "../ui/link.tsx";
import { Strip } from "../ui/strip.tsx";
import { At, Foreign } from "../ui/text.tsx";
import { rowHref } from "./neighbour-keys.ts";

/** Begins the ids of rows. */
export const NAME = "run-row";

/** How much of a row has place. */
export type Layout = "wide" | "middle" | "card";

interface RunRowProps {
  readonly row: RunRow;
  readonly glance: Glance | undefined;
  readonly index: number;
  readonly height: number;
  readonly layout: Layout;
  readonly isCurrent: boolean;
  /** It matches no more, and stays until somebody asks for what is new. */
  readonly isGone: boolean;
  /** Shows where the keys are. */
  readonly onVisit: (id: string) => void;
  /** All rows are of one flow: then the id alone names the run. */
  readonly isOneFlow?: boolean;
}

const STRIP_PX: Readonly<Record<Layout, number>> = { wide: 142, middle: 96, card: 84 };

/** Shows the row. */
export const RunLine = memo(function RunLine(props: RunRowProps): ReactNode {
  const { row, layout } = props;
  const classes = [props.isGone && "gone", layout === "card" && "card"];
  return (
    <GridRow
      id={row.id}
      name={NAME}
      index={props.index}
      height={props.height}
      className={classes.filter(Boolean).join(" ")}
      title={hoverOf(props)}
      isCurrent={props.isCurrent}
      href={rowHref(row)}
      onVisit={() => props.onVisit(row.id)}
    >
      {layout === "card" ? <Card {...props} /> : <Cells {...props} />}
    </GridRow>
  );
});

/** What the row has no place for. */
function hoverOf({ row, layout, isGone }: RunRowProps): string | undefined {
  if (isGone) return "It does not match the filters any more";
  if (layout === "wide") return undefined;
  const started = `Started ${fullMoment(instant(row.startedAt ?? row.createdAt))}`;
  return visible([started, ...attributesOf(row)].join("\n"));
}

function attributesOf(row: RunRow): readonly string[] {
  return Object.entries(row.search ?? {}).map(([name, value]) => `${name} ${value}`);
}

function Cells({ row, glance, layout, onVisit, isOneFlow = false }: RunRowProps): ReactNode {
  const started = instant(row.startedAt ?? row.createdAt);
  return (
    <>
      <td className={`run-status hue-${hueOf(row.status)} is-${row.status}`}>
        <Glyph status={row.status} label="word" />
        <span className="word">{capital(statusWord(row.status))}</span>
      </td>
      <td className="run-name">
        <Workflow row={row} onVisit={onVisit} isOneFlow={isOneFlow} />
      </td>
      <td className="run-doing">
        <DoingText row={row} glance={glance} />
      </td>
      <td className="run-strip">
        <Steps row={row} glance={glance} width={STRIP_PX[layout]} />
      </td>
      {layout === "wide" && (
        <>
          <td className="run-attributes">
            <Attributes row={row} />
          </td>
          <td className="run-started">
            <At ms={started}>{shortMoment(started, Date.now())}</At>
          </td>
        </>
      )}
      <td className="run-took">
        <Took row={row} />
      </td>
    </>
  );
}

function Card({ row, glance, onVisit, isOneFlow = false }: RunRowProps): ReactNode {
  return (
    <td className={`hue-${hueOf(row.status)} is-${row.status}`}>
      <span className="card-line">
        <Glyph status={row.status} />
        <span className="run-name">
          <Workflow row={row} onVisit={onVisit} isOneFlow={isOneFlow} />
        </span>
        <span className="run-took">
          <Took row={row} />
        </span>
      </span>
      <span className="card-line">
        <span className="run-doing">
          <DoingText row={row} glance={glance} />
        </span>
        <Steps row={row} glance={glance} width={STRIP_PX.card} />
      </span>
    </td>
  );
}

function Workflow({
  row,
  onVisit,
  isOneFlow = false,
}: Pick<RunRowProps, "row" | "onVisit" | "isOneFlow">): ReactNode {
  const { observed } = row;
  const id = observed?.run ?? row.id;
  return (
    <Link
      href={rowHref(row)}
      title={visible(`${row.workflow} ${id}`)}
      onFollow={() => onVisit(row.id)}
    >
      {isOneFlow ? (
        <b className="mono">
          <Foreign>{id}</Foreign>
        </b>
      ) : (
        <>
          <b>
            <Foreign>{row.workflow}</Foreign>
          </b>
          <span className="mono">
            {observed === undefined ? `…${id.slice(-5)}` : visible(rowId(id))}
          </span>
          {observed !== undefined && (
            <span className="observed-mark" title="It runs outside Stepwell, and is only observed">
              <Icon name="observed" size={13} />
              <span className="hidden">observed</span>
            </span>
          )}
        </>
      )}
    </Link>
  );
}

function DoingText({
  row,
  glance,
}: {
  readonly row: RunRow;
  readonly glance: Glance | undefined;
}): ReactNode {
  const { text, isCode } = doingOf(row, glance, Date.now());
  return (
    <span className={isCode ? "mono" : ""} title={visible(text)}>
      <Foreign>{text}</Foreign>
    </span>
  );
}

function Steps(props: {
  readonly row: RunRow;
  readonly glance: Glance | undefined;
  readonly width: number;
}): ReactNode {
  const { row, glance } = props;
  if (row.observed !== undefined) {
    return <Strip strip={lettersOf(row.observed.strip)} counts={row} width={props.width} />;
  }
  if (glance !== undefined && glance.strip !== "") {
    return <Strip strip={glance.strip} counts={row} width={props.width} />;
  }
  return row.steps === 0 ? null : <span className="few">{counted(row.steps, "step")}</span>;
}

function Attributes({ row }: { readonly row: RunRow }): ReactNode {
  const text = attributesOf(row).join(" · ");
  return (
    <span title={visible(text)}>
      <Foreign>{text}</Foreign>
    </span>
  );
}

function Took({ row }: { readonly row: RunRow }): ReactNode {
  if (hasEnded(row)) return duration(row.durationMs ?? 0);
  return <Elapsed from={instant(row.createdAt)} />;
}
