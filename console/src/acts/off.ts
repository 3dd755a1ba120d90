/** When nothing can be done because the server is away. */

import { useConnection } from "../live/stream.ts";
import { clock } from "../model/words.ts";
import { useNow } from "../ui/now.ts";

/** An act on what was true longer ago than this may meet another run than the one that is seen. */
const AWAY_MS = 10_000;

/** Says why acts cannot be done now; null while they can. */
export function useActsOff(): string | null {
  const { state, asOf } = useConnection();
  // The clock only says when to look again: it is late by up to a second.
  useNow(state === "live" ? null : 1000);
  if (state === "live" || asOf === null || Date.now() - asOf < AWAY_MS) return null;
  return `The server has not been heard since ${clock(asOf)}; acts wait until it is back.`;
}
