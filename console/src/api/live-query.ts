/** Answers that are asked for again when the server says that something changed. */

import { keepPreviousData, type Query, type UseQueryResult, useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { type Change, onChanges } from "../live/stream.ts";
import { ask, isRefusal } from "./ask.ts";

interface LiveQuery<T> {
  /** What is asked for, below `/api/v1`; null asks for nothing. */
  readonly path: string | null;
  readonly read: (answer: unknown) => T;
  /** Says whether a change may have changed the answer. */
  readonly when: (change: Change) => boolean;
  /** It is asked for no more often than this. */
  readonly everyMs?: number;
  /** It is asked for so often, changes or not: as time goes on what stands still becomes stuck, or ends. */
  readonly pollMs?: number | ((last: T | undefined) => number | false);
}

const EVERY_MS = 2000;

/** Says whether a run may have changed. */
export function runsChanged(change: Change): boolean {
  return change.others || change.runs.size > 0;
}

/** Says whether an observed run or a flow may have changed. */
export function flowsChanged(change: Change): boolean {
  return change.others || change.flows;
}

/** Asks, and asks again after changes while the page is seen. The last answer stands until the next. */
export function useLiveQuery<T>(query: LiveQuery<T>): UseQueryResult<T> {
  const { path, read, pollMs } = query;
  const result = useQuery({
    queryKey: ["live", path],
    queryFn: async ({ signal }) => read(await ask(path ?? "", signal)),
    enabled: path !== null,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }: Query<T>) => {
      if (pollMs === undefined || isRefusal(state.error)) return false;
      return typeof pollMs === "number" ? pollMs : pollMs(state.data);
    },
  });
  const { refetch, error } = result;
  // What the server does not know it will not know after the next change either.
  const isRefused = isRefusal(error);
  const latest = useRef({ query, refetch, isRefused });
  useEffect(() => {
    latest.current = { query, refetch, isRefused };
  });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let [due, askedAt] = [false, performance.now()];
    const askAgain = () => {
      timer = undefined;
      // What changed while nobody looked is asked for when somebody does.
      if (document.visibilityState !== "visible") return;
      [due, askedAt] = [false, performance.now()];
      const { query, refetch, isRefused } = latest.current;
      if (query.path !== null && !isRefused) void refetch();
    };
    const plan = () => {
      const { everyMs = EVERY_MS } = latest.current.query;
      if (due) timer ??= setTimeout(askAgain, Math.max(0, askedAt + everyMs - performance.now()));
    };
    const stop = onChanges((change) => {
      due ||= latest.current.query.when(change);
      plan();
    });
    document.addEventListener("visibilitychange", plan);
    return () => {
      stop();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", plan);
    };
  }, []);
  return result;
}
