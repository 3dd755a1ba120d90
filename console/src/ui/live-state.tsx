/** Whether the page is live: a dot, or from when it is and when the server is tried again. */

import type { ReactNode } from "react";
import { useConnection } from "../live/stream.ts";
import { clock, duration } from "../model/words.ts";
import { useNow } from "./now.ts";
import { At } from "./text.tsx";

/** Shows the state. It is told to readers of screens when it changes, not as it ticks. */
export function LiveState(): ReactNode {
  const { state, asOf, retryAt } = useConnection();
  const isLive = state === "live";
  return (
    <span className={`live is-${state}`}>
      <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
        <circle cx="5" cy="5" r="3.5" />
      </svg>
      <span className={isLive ? "live-words" : ""} role="status">
        {isLive ? "Live" : state === "connecting" ? "Connecting" : "Reconnecting"}
      </span>
      {state === "away" && (
        <span className="live-more">
          {retryAt !== null && <Countdown to={retryAt} />}
          {asOf !== null && (
            <>
              {" As of "}
              <At ms={asOf}>{clock(asOf)}</At>.
            </>
          )}
        </span>
      )}
    </span>
  );
}

function Countdown({ to }: { readonly to: number }): ReactNode {
  const now = useNow(1000);
  const seconds = Math.max(0, Math.ceil((to - now) / 1000));
  return seconds === 0 ? "now." : `in ${duration(seconds * 1000).replace(/\.00/, "")}.`;
}
