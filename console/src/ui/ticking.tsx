/** Times that tick. */

import type { ReactNode } from "react";
import { elapsed } from "../model/words.ts";
import { useNow } from "./now.ts";

/** An elapsed time that ticks. */
export function Ticking({ from }: { readonly from: number }): ReactNode {
  const fine = Date.now() - from < 10_000;
  const now = useNow(fine ? 100 : 1000);
  return <span className="ticks">{elapsed(now - from)}</span>;
}
