/** Elapsed time of what is open. */

import type { ReactNode } from "react";
import { useConnection } from "../live/stream.ts";
import { elapsed } from "../model/words.ts";
import { useNow } from "./now.ts";

/** An elapsed time that ticks; where the server is away it stops at what is known, and says so. */
export function Elapsed({ from }: { readonly from: number }): ReactNode {
  const { state, asOf } = useConnection();
  const fine = Date.now() - from < 10_000;
  const away = state === "away" && asOf !== null;
  const now = useNow(away ? null : fine ? 100 : 1000);
  const text = away ? `at least ${elapsed(asOf - from)}` : elapsed(now - from);
  return <span className="ticks">{text}</span>;
}
