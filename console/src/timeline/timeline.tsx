/** The timeline: the steps of the list on one axis of time. */

import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type ComponentProps,
  type ReactNode,
  useEffect,
  useMemo,
  useRef,
  useState,
  type WheelEvent,
} from "react";
import { createPortal } from "react-dom";
import { useRowKeys } from "../list/use-list-keys.ts";
import { axisOf, instantAt } from "../model/axis.ts";
import { isSame, type Row, selectionOf } from "../model/rows.ts";
import { hasEnded } from "../model/run.ts";
import type { Stretch } from "../model/spans.ts";
import { busyMs, criticalPath, foldsOf, pathInRows, shownOf, timesOf } from "../model/timeline.ts";
import { duration } from "../model/words.ts";
import { usePage } from "../run/use-page.ts";
import { useDialect } from "../ui/dialect.ts";
import { useKeys } from "../ui/keys.ts";
import { useNarrow } from "../ui/narrow.ts";
import { useNow } from "../ui/now.ts";
import { useWidth } from "../ui/width.ts";
import { AxisLine, Ground, Hairline } from "./ground.tsx";
import { Measured, useMeasure } from "./measure.tsx";
import { Overview } from "./overview.tsx";
import { TimelineRow } from "./row.tsx";
import { useFollowNow } from "./use-follow-now.ts";
import { useWindow } from "./use-window.ts";

const LABELS = 316;
const LABELS_SMALL = 220;
/** What labels need more with words for statuses. */
const WORD = 72;
const EDGE = 12;

interface TimelineProps {
  readonly rows: readonly Row[];
  /** Where the controls of the view stand in the bar. */
  readonly slot: HTMLElement | null;
  readonly folding: boolean;
  readonly withPath: boolean;
  readonly onList: () => void;
}

/** Shows the timeline. */
export function Timeline(props: TimelineProps): ReactNode {
  const { rows: all, slot, folding, withPath } = props;
  const { contents, selected } = usePage();
  const rows = useMemo(
    () => all.filter(({ type }) => type === "step" || type === "fanOut" || type === "heading"),
    [all],
  );
  const box = useRef<HTMLDivElement>(null);
  const narrow = useNarrow();
  const total = useWidth(box);
  const more = useDialect() === "stepwell" ? 0 : WORD;
  const labels = narrow ? 0 : (total < 1100 ? LABELS_SMALL : LABELS) + more;
  const width = Math.max(total - labels - (narrow ? 2 : 1) * EDGE, 80);
  const time = useTime(width, folding);
  const { axis, times, now, view } = time;
  const inRows = useMemo(
    () => pathInRows(withPath ? criticalPath(contents, now) : [], rows),
    [contents, withPath, now, rows],
  );
  const at = useMemo(
    () => (selected === null ? -1 : rows.findIndex((row) => isSame(selectionOf(row), selected))),
    [rows, selected],
  );
  const left = narrow ? EDGE : labels;
  const hover = useHover(width, left);
  const measure = useMeasure(axis, left);
  const open = hasEnded(contents.run) ? null : now;
  const follow = useFollowNow(open, view);
  const pan = (share: number) => {
    follow.stop();
    view.pan(share);
  };
  useTimelineKeys(rows, at, { ...view, pan });
  useKeys({ ".": follow.toggle });
  const wheel = (event: WheelEvent) => {
    if (!event.ctrlKey && !event.metaKey) return;
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left - labels;
    view.zoom(event.deltaY < 0 ? 1.25 : 0.8, instantAt(axis, x));
  };
  const side = { marginLeft: narrow ? EDGE : labels };
  return (
    <section className="timeline" ref={box} aria-label="Timeline of the steps" onWheel={wheel}>
      <button type="button" className="as-list" onClick={props.onList}>
        Show as list
      </button>
      <div className="timeline-top">
        <Summary labels={labels} busy={busyMs(times)} whole={times.whole.to - times.whole.from} />
        <div style={side}>
          <Overview
            times={times}
            whole={time.shown}
            window={view.window}
            width={width}
            onShow={view.show}
            onFit={view.showAll}
          />
          <AxisLine axis={axis} cleanUpFrom={times.cleanUpFrom} now={open} onUnfold={time.unfold} />
        </div>
      </div>
      <div
        className="timeline-body"
        onPointerDown={measure.onPointerDown}
        onPointerMove={(event) => {
          hover.move(event);
          measure.onPointerMove(event);
        }}
        onPointerUp={measure.onPointerUp}
        onPointerLeave={hover.leave}
      >
        <div className="behind" style={side}>
          <Ground axis={axis} height={4000} cleanUpFrom={times.cleanUpFrom} now={open} />
          {hover.x !== null && <Hairline x={hover.x} at={instantAt(axis, hover.x)} />}
          {measure.span !== null && (
            <Measured axis={axis} span={measure.span} onClear={measure.clear} onZoom={view.show} />
          )}
        </div>
        <Rows
          rows={rows}
          at={at}
          labels={labels}
          start={times.whole.from}
          axis={axis}
          now={now}
          path={inRows}
        />
      </div>
      {slot !== null && open !== null && createPortal(<FollowNow follow={follow} />, slot)}
    </section>
  );
}

function FollowNow({ follow }: { readonly follow: ReturnType<typeof useFollowNow> }): ReactNode {
  return (
    <button type="button" aria-pressed={follow.isOn} aria-keyshortcuts="." onClick={follow.toggle}>
      Follow now <kbd>.</kbd>
    </button>
  );
}

interface RowsProps extends Omit<ComponentProps<typeof TimelineRow>, OfOneRow> {
  readonly rows: readonly Row[];
  /** Which row is selected; under 0 none. */
  readonly at: number;
}

type OfOneRow = "row" | "index" | "top" | "height" | "isSelected";

/** Shows the rows that are seen. */
function Rows({ rows, at, ...shared }: RowsProps): ReactNode {
  const scroller = useRef<HTMLDivElement>(null);
  const height = shared.labels === 0 ? 52 : 32;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    getItemKey: (index) => rows[index]?.key ?? index,
    estimateSize: () => height,
    overscan: 8,
  });
  useEffect(() => {
    if (height > 0) virtual.measure();
  }, [virtual, height]);
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at, { align: "auto" });
  }, [virtual, at]);
  return (
    <div className="timeline-scroll" ref={scroller}>
      <ol style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const row = rows[item.index];
          if (row === undefined) return null;
          return (
            <TimelineRow
              key={item.key}
              row={row}
              index={item.index}
              top={item.start}
              height={height}
              isSelected={item.index === at}
              {...shared}
            />
          );
        })}
      </ol>
    </div>
  );
}

/** The axis over what is seen, and the times that it is made of. */
function useTime(width: number, folding: boolean) {
  const { contents } = usePage();
  const ended = hasEnded(contents.run);
  const ticking = useNow(ended ? null : 1000);
  const now = ended ? Number.POSITIVE_INFINITY : ticking;
  const times = useMemo(() => timesOf(contents, now), [contents, now]);
  const shown = useMemo(
    () => shownOf(times, folding ? foldsOf(times, times.whole) : [], !ended),
    [times, folding, ended],
  );
  const view = useWindow(shown, !ended);
  // Folds that a click has opened, by where they begin.
  const [unfolded, setUnfolded] = useState<ReadonlySet<number>>(new Set());
  const axis = useMemo(() => {
    // What lies beyond now is not idle, it has not been.
    const until = { from: view.window.from, to: Math.min(view.window.to, times.whole.to) };
    const folds = folding ? foldsOf(times, until) : [];
    return axisOf(
      view.window,
      width,
      folds.filter((fold) => !unfolded.has(fold.from)),
    );
  }, [times, view.window, width, folding, unfolded]);
  const unfold = (fold: Stretch) => setUnfolded(new Set([...unfolded, fold.from]));
  return { axis, times, shown, now: Math.min(now, times.whole.to), view, unfold };
}

function Summary({
  labels,
  busy,
  whole,
}: {
  readonly labels: number;
  readonly busy: number;
  readonly whole: number;
}): ReactNode {
  const share = ((busy / whole) * 100).toFixed(busy / whole < 0.1 ? 1 : 0);
  const words = `${duration(busy)} of work in ${duration(whole)}, ${share}\u00a0%`;
  return (
    <div className="timeline-summary" style={labels === 0 ? undefined : { width: labels }}>
      <strong>Overview, true proportion</strong>
      <span>{words}</span>
    </div>
  );
}

function useTimelineKeys(
  rows: readonly Row[],
  at: number,
  view: ReturnType<typeof useWindow>,
): void {
  const { toggleOpen } = usePage();
  useRowKeys(rows, at, {
    Enter: () => {
      const row = rows[at];
      if (row?.type === "fanOut") toggleOpen(row.fanOut.key);
    },
    "+": () => view.zoom(1.5),
    "=": () => view.zoom(1.5),
    "-": () => view.zoom(1 / 1.5),
    "0": view.showAll,
    h: () => view.pan(-0.2),
    l: () => view.pan(0.2),
    ArrowLeft: () => view.pan(-0.2),
    ArrowRight: () => view.pan(0.2),
  });
}

function useHover(width: number, left: number) {
  const [x, setX] = useState<number | null>(null);
  return {
    x,
    move: (event: { clientX: number; currentTarget: Element }) => {
      const place = event.clientX - event.currentTarget.getBoundingClientRect().left - left;
      setX(place >= 0 && place <= width ? Math.round(place) : null);
    },
    leave: () => setX(null),
  };
}
