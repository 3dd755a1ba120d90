/** Why nothing can be done: the server is away, or the key does not allow it. */

import { useCallback } from "react";
import { useWhyNot } from "../api/session.ts";
import { useConnection } from "../live/stream.ts";
import type { Deed } from "../model/rights.ts";
import { clock } from "../model/words.ts";
import { useNow } from "../ui/now.ts";

/** An act on what was true longer ago than this may meet another run than the one that is seen. */
const AWAY_MS = 10_000;

/** Returns what says why something cannot be done now; null while it can. */
export function useActsOff(): (deed: Deed) => string | null {
  const whyNot = useWhyNot();
  const away = useAway();
  return useCallback((deed) => whyNot(deed) ?? away, [whyNot, away]);
}

function useAway(): string | null {
  const { state, asOf } = useConnection();
  // The clock only says when to look again: it is late by up to a second.
  useNow(state === "live" ? null : 1000);
  if (state === "live" || asOf === null || Date.now() - asOf < AWAY_MS) return null;
  return `The server has not been heard since ${clock(asOf)}; acts wait until it is back.`;
}
