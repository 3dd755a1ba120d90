/** The stream of events, newest first: what came, for whom, and what it did. */

import { keepPreviousData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { useActsOff } from "../acts/off.ts";
import { SendEventDialog } from "../acts/send-event-dialog.tsx";
import { AskError, ask } from "../api/ask.ts";
import { useLiveQuery } from "../api/live-query.ts";
import { type EventRow, type EventsPage as Page, readEvents } from "../model/events.ts";
import { counted, ZONE } from "../model/words.ts";
import { eventHref, go, goQuery, useQuery } from "../route.ts";
import { Loading, NoAnswer } from "../runs/states.tsx";
import { ActButton, unlessOff } from "../ui/act-button.tsx";
import { GridTable, useRows } from "../ui/grid-table.tsx";
import { useKeys } from "../ui/keys.ts";
import { useNarrow } from "../ui/narrow.ts";
import { rowAfter, rowKeys } from "../ui/row-keys.ts";
import { SearchField } from "../ui/search-field.tsx";
import { EventLine, NAME } from "./event-row.tsx";
import { NoEvents } from "./no-events.tsx";

const HEAD = 50;
const PAGE = 200;
const ROW_PX = 36;
const CARD_PX = 64;
const AHEAD = 40;
const HEADS = [["Time"], ["Event"], ["Data"], ["For"], ["What it did"]] as const;

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
  const off = useActsOff()("send");
  const send = () => setSending(true);
  useKeys({ "/": () => field.current?.focus(), n: unlessOff(off, send) });
  return (
    <main className="page events">
      <div className="page-title">
        <h1>Events</h1>
        <SearchField
          field={field}
          text={name}
          onText={(event) => goQuery({ event: event === "" ? null : event }, "replace")}
          placeholder="Whole name of an event"
          label="Filter events by name"
        />
        <ActButton className="filled" keys="n" off={off} onAct={send}>
          Send an event <kbd>N</kbd>
        </ActButton>
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

function Table({
  events,
  onMore,
}: {
  readonly events: readonly EventRow[];
  readonly onMore: () => void;
}): ReactNode {
  const narrow = useNarrow();
  const height = narrow ? CARD_PX : ROW_PX;
  const [current, setCurrent] = useState<string | null>(null);
  const rows = useRows({ count: events.length, height, keyAt: (index) => events[index]?.id });
  const { last } = rows;
  useEffect(() => {
    if (last >= events.length - AHEAD) onMore();
  }, [last, events.length, onMore]);
  const at = events.findIndex((event) => event.id === current);
  const by = (steps: number) => {
    const index = rowAfter(at, steps, events.length);
    setCurrent(events[index]?.id ?? null);
    rows.scrollTo(index);
  };
  useKeys({
    ...rowKeys(by, events.length, rows.page()),
    Enter: current === null ? undefined : () => go(eventHref(current)),
    y: current === null ? undefined : () => void navigator.clipboard.writeText(current),
  });
  return (
    <div className="grid-table events-table" ref={rows.scroller}>
      <GridTable
        rows={rows}
        label="Events, newest first"
        name={NAME}
        heads={HEADS}
        rowCount={-1}
        at={at}
        line={(index, slot) => {
          const event = events[index];
          if (event === undefined) return null;
          return (
            <EventLine
              key={slot}
              event={event}
              index={index}
              height={height}
              narrow={narrow}
              isCurrent={index === at}
            />
          );
        }}
      />
    </div>
  );
}
