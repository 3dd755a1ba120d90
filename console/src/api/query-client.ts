/** The one cache of answers that pages share. */

import { QueryClient } from "@tanstack/react-query";
import { isRefusal } from "./ask.ts";

const TRIES_MAX = 2;

function again(tried: number, error: Error): boolean {
  return !isRefusal(error) && tried < TRIES_MAX;
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
