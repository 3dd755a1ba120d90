/** The one cache of answers that pages share. */

import { QueryClient } from "@tanstack/react-query";
import { AskError } from "./ask.ts";

const TRIES_MAX = 2;

/** Says whether to ask again: what was refused will be refused again. */
function again(tried: number, error: Error): boolean {
  const refused = error instanceof AskError && error.status >= 400 && error.status < 500;
  return !refused && tried < TRIES_MAX;
}

/** Makes the cache. What it holds is kept fresh by the stream of changes, not by the clock or the focus. */
export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // The server may be on this machine, where a browser without a network reaches it all the same.
        networkMode: "always",
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        retry: again,
        retryDelay: 500,
      },
    },
  });
}
