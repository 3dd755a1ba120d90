/** What stands in the place of the stream where there are no events. */

import type { ReactNode } from "react";
import { goQuery } from "../route.ts";
import { Copy } from "../ui/copy.tsx";
import { Icon } from "../ui/icon.tsx";
import { Foreign } from "../ui/text.tsx";

/** Says that there are none, and how the first one comes to be. */
export function NoEvents({ name }: { readonly name: string }): ReactNode {
  if (name !== "") {
    return (
      <div className="teach">
        <h2>
          No event has the name <Foreign>{name}</Foreign>.
        </h2>
        <button type="button" onClick={() => goQuery({ event: null })}>
          <Icon name="close" size={10} />
          All names
        </button>
      </div>
    );
  }
  const line = `npx stepwell events send order.paid --data '{"order":7}' --url ${location.origin}`;
  return (
    <div className="teach">
      <h2>No events yet.</h2>
      <p className="quiet-2">
        An event starts the runs of workflows that it triggers, and wakes waits that match it.
      </p>
      <span className="teach-line">
        <code>{line}</code>
        <Copy text={() => line} what="the line that sends an event" />
      </span>
      <p className="quiet">The first event appears here by itself.</p>
    </div>
  );
}
