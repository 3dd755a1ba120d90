/** The stream of events, newest first: what came, for whom, and what it did. */

import { keepPreviousData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { SendEventDialog } from "../acts/send-event-dialog.tsx";
import { AskError, ask } from "../api/ask.ts";
import { useLiveQuery } from "../api/live-query.ts";
import { type EventRow, type EventsPage as Page, readEvents } from "../model/events.ts";
import { counted, ZONE } from "../model/words.ts";
import { eventHref, go, goQuery, useQuery } from "../route.ts";
import { Loading, NoAnswer } from "../runs/states.tsx";
import { Icon } from "../ui/icon.tsx";
import { useKeys } from "../ui/keys.ts";
import { useNarrow } from "../ui/narrow.ts";
import { EventLine } from "./event-row.tsx";
import { NoEvents } from "./no-events.tsx";

const HEAD = 50;
const PAGE = 200;
const ROW_PX = 36;
const CARD_PX = 64;
const AHEAD = 40;
const TYPING_MS = 300;

function pathOf(name: string, limit: number, cursor: string | null): string {
  const params = new URLSearchParams({ order: "newest", limit: String(limit) });
  if (name !== "") params.set("event", name);
  if (cursor !== null) params.set("cursor", cursor);
  return `/events?${params}`;
}

/** Shows the page. */
export function EventsPage(): ReactNode {
  const name = useQuery().get("event") ?? "";
  const field = useRef<HTMLInputElement>(null);
  const { events, error, isPending, more, again } = useEvents(name);
  const [isSending, setSending] = useState(false);
  useKeys({ "/": () => field.current?.focus(), n: () => setSending(true) });
  return (
    <main className="page events">
      <div className="page-title">
        <h1>Events</h1>
        <NameField field={field} name={name} />
        <button
          type="button"
          className="filled"
          aria-keyshortcuts="n"
          onClick={() => setSending(true)}
        >
          Send an event <kbd>N</kbd>
        </button>
      </div>
      <div className="page-body">
        {error !== null && events.length === 0 ? (
          <NoAnswer what="the events" error={error} onAgain={again} />
        ) : isPending ? (
          <Loading />
        ) : events.length === 0 ? (
          <NoEvents name={name} />
        ) : (
          <Table events={events} onMore={more} />
        )}
      </div>
      <footer className="page-foot">
        <span>{events.length > 0 && `${counted(events.length, "event")} read`}</span>
        <span className="zone">Times in {ZONE}</span>
      </footer>
      {isSending && (
        <SendEventDialog
          initial={name === "" ? {} : { event: name }}
          onClose={() => setSending(false)}
          onSent={({ id }) => go(eventHref(id))}
        />
      )}
    </main>
  );
}

interface Events {
  readonly events: readonly EventRow[];
  readonly error: AskError | null;
  readonly isPending: boolean;
  readonly more: () => void;
  readonly again: () => void;
}

/** The newest events, asked for again as they come, before the pages that were read as one scrolled. */
function useEvents(name: string): Events {
  const client = useQueryClient();
  const head = useLiveQuery({
    path: pathOf(name, HEAD, null),
    read: readEvents,
    when: (change) => change.events,
    everyMs: 1000,
  });
  const pages = useInfiniteQuery({
    queryKey: ["events", name],
    initialPageParam: null,
    queryFn: async ({ pageParam, signal }: { pageParam: string | null; signal: AbortSignal }) =>
      readEvents(await ask(pathOf(name, PAGE, pageParam), signal)),
    getNextPageParam: (page: Page) => page.cursor ?? null,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const events = useMemo(() => {
    const all = new Map<string, EventRow>();
    // What an event did may be known later than that it came: the newer answer is first.
    for (const page of [head.data, ...(pages.data?.pages ?? [])]) {
      for (const event of page?.events ?? []) if (!all.has(event.id)) all.set(event.id, event);
    }
    return [...all.values()];
  }, [head.data, pages.data]);
  const failed = pages.error ?? head.error;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  return {
    events,
    error: failed === null ? null : failed instanceof AskError ? failed : unread(failed),
    isPending: pages.isPending,
    more: () => {
      if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
    },
    again: () => void client.invalidateQueries({ queryKey: ["events"] }),
  };
}

function unread(error: Error): AskError {
  return new AskError(error.message, 0, null);
}

function NameField({
  field,
  name,
}: {
  readonly field: { readonly current: HTMLInputElement | null };
  readonly name: string;
}): ReactNode {
  const [typed, setTyped] = useState(name);
  useEffect(() => setTyped(name), [name]);
  useEffect(() => {
    if (typed.trim() === name) return;
    const set = () => goQuery({ event: typed.trim() === "" ? null : typed.trim() }, "replace");
    const timer = setTimeout(set, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, name]);
  return (
    <label className="field text-filter">
      <Icon name="search" />
      <input
        ref={field}
        type="search"
        value={typed}
        placeholder="Whole name of an event"
        aria-label="Filter events by name"
        spellCheck={false}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          event.preventDefault();
          if (typed === "") event.currentTarget.blur();
          else setTyped("");
        }}
      />
      {typed === "" && <kbd>/</kbd>}
    </label>
  );
}

function Table({
  events,
  onMore,
}: {
  readonly events: readonly EventRow[];
  readonly onMore: () => void;
}): ReactNode {
  const scroller = useRef<HTMLDivElement>(null);
  const narrow = useNarrow();
  const height = narrow ? CARD_PX : ROW_PX;
  const [current, setCurrent] = useState<string | null>(null);
  const virtual = useVirtualizer({
    count: events.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 6,
    scrollPaddingStart: narrow ? 0 : 32,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: heights are known; only this changes them
  useEffect(() => virtual.measure(), [height]);
  const last = virtual.range?.endIndex ?? 0;
  useEffect(() => {
    if (last >= events.length - AHEAD) onMore();
  }, [last, events.length, onMore]);
  const at = events.findIndex((event) => event.id === current);
  const by = (steps: number) => () => {
    const index = Math.min(events.length - 1, Math.max(0, (at < 0 && steps < 0 ? 0 : at) + steps));
    setCurrent(events[index]?.id ?? null);
    virtual.scrollToIndex(index, { align: "auto" });
  };
  useKeys({
    j: by(1),
    ArrowDown: by(1),
    k: by(-1),
    ArrowUp: by(-1),
    PageDown: by(14),
    PageUp: by(-14),
    Home: by(-events.length),
    End: by(events.length),
    Enter: current === null ? undefined : () => go(eventHref(current)),
    y: current === null ? undefined : () => void navigator.clipboard.writeText(current),
  });
  return (
    <div className="runs-table events-table" ref={scroller}>
      <table
        // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: it has the keys of a grid
        role="grid"
        tabIndex={0}
        aria-label="Events, newest first"
        aria-rowcount={-1}
        aria-activedescendant={at >= 0 ? `event-row-${at}` : undefined}
      >
        <thead>
          <tr aria-rowindex={1}>
            {["Time", "Event", "Data", "For", "What it did"].map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const event = events[item.index];
            if (event === undefined) return null;
            return (
              <EventLine
                key={event.id}
                event={event}
                index={item.index}
                top={item.start}
                height={height}
                narrow={narrow}
                isCurrent={item.index === at}
              />
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
