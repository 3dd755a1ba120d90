/** Questions about keys, namespaces and the audit log. No stream tells of them: they are asked for when looked at. */

import { type UseQueryResult, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { type AskError, asAskError, ask } from "../api/ask.ts";
import {
  type AuditFilter,
  type AuditRow,
  actsOfRows,
  auditPath,
  type KeyRow,
  type NamespaceRow,
  readAudit,
  readKeys,
  readNamespaces,
} from "../model/access.ts";

/** Begins the names of all of them: an act on one of them may change the others. */
export const ACCESS = "access";

const PAGE = 200;

function useList<T>(name: string, read: (answer: unknown) => T, isAllowed: boolean) {
  return useQuery({
    queryKey: [ACCESS, name],
    queryFn: async ({ signal }) => read(await ask(`/${name}`, signal)),
    enabled: isAllowed,
  });
}

/** Asks for the keys, where whoever is signed in may see them. */
export function useKeyList(isAllowed: boolean): UseQueryResult<readonly KeyRow[]> {
  return useList("keys", readKeys, isAllowed);
}

/** Asks for the namespaces, where whoever is signed in may see them. */
export function useNamespaces(isAllowed: boolean): UseQueryResult<readonly NamespaceRow[]> {
  return useList("namespaces", readNamespaces, isAllowed);
}

export interface Audit {
  readonly acts: readonly AuditRow[];
  readonly error: AskError | null;
  readonly isPending: boolean;
  /** Whether all that the filter leaves was read. */
  readonly isWhole: boolean;
  readonly readAt: number;
  readonly more: () => void;
  readonly again: () => void;
}

/** Asks for acts of the audit log, page by page from the newest on. */
export function useAudit(filter: AuditFilter, isAllowed: boolean): Audit {
  const pages = useInfiniteQuery({
    queryKey: [ACCESS, "audit", filter],
    initialPageParam: null,
    queryFn: async ({ pageParam, signal }: { pageParam: number | null; signal: AbortSignal }) =>
      readAudit(await ask(auditPath(filter, PAGE, pageParam), signal)),
    getNextPageParam: (page) => page.next,
    enabled: isAllowed,
  });
  const { data, error, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = pages;
  const acts = useMemo(() => actsOfRows(data?.pages.flatMap(({ rows }) => rows) ?? []), [data]);
  return {
    acts,
    error: error === null ? null : asAskError(error),
    isPending: pages.isPending,
    isWhole: !hasNextPage,
    readAt: pages.dataUpdatedAt,
    more: () => {
      if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
    },
    again: () => void refetch(),
  };
}
