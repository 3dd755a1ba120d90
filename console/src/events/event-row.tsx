/** One row of the stream of events. */

import { memo, type ReactNode } from "react";
import { type EventRow, effectOf, scopeOf } from "../model/events.ts";
import { instant } from "../model/instants.ts";
import { oneLine } from "../model/json.ts";
import { shortMoment } from "../model/words.ts";
import { eventHref } from "../route.ts";
import { GridRow } from "../ui/grid-table.tsx";
import { Link } from "../ui/link.tsx";
import { At, Foreign, Name, Pieces } from "../ui/text.tsx";

/** Begins the ids of rows. */
export const NAME = "event-row";

/** More than a row can show. */
const DATA_CHARS_MAX = 240;

interface EventLineProps {
  readonly event: EventRow;
  readonly index: number;
  readonly height: number;
  readonly narrow: boolean;
  readonly isCurrent: boolean;
}

/** Shows the row. */
export const EventLine = memo(function EventLine(props: EventLineProps): ReactNode {
  const { event, narrow } = props;
  return (
    <GridRow
      id={event.id}
      name={NAME}
      index={props.index}
      height={props.height}
      className={narrow ? "card" : ""}
      isCurrent={props.isCurrent}
      href={eventHref(event.id)}
    >
      {narrow ? <Card event={event} /> : <Cells event={event} />}
    </GridRow>
  );
});

function Cells({ event }: { readonly event: EventRow }): ReactNode {
  return (
    <>
      <td className="event-time">
        <When event={event} />
      </td>
      <td className="event-name">
        <Title event={event} />
      </td>
      <td>
        <Data event={event} />
      </td>
      <td className="quiet-2">
        <Foreign>{scopeOf(event) ?? "all"}</Foreign>
      </td>
      <td>
        <Effect event={event} />
      </td>
    </>
  );
}

function Card({ event }: { readonly event: EventRow }): ReactNode {
  return (
    <td>
      <span className="card-line">
        <span className="run-name">
          <Title event={event} />
        </span>
        <span className="run-took">
          <When event={event} />
        </span>
      </span>
      <span className="card-line">
        <span className="run-doing">
          <Data event={event} />
        </span>
        <Effect event={event} />
      </span>
    </td>
  );
}

function When({ event }: { readonly event: EventRow }): ReactNode {
  const at = instant(event.acceptedAt);
  return <At ms={at}>{shortMoment(at, Date.now())}</At>;
}

function Title({ event }: { readonly event: EventRow }): ReactNode {
  return (
    <Link href={eventHref(event.id)} className="event-link">
      <Name>{event.event}</Name>
    </Link>
  );
}

/** What waits are held against: the match, where the event has one beside its data. */
function Data({ event }: { readonly event: EventRow }): ReactNode {
  return (
    <span className="one-line">
      <Pieces pieces={oneLine(event.match ?? event.data, DATA_CHARS_MAX)} />
    </span>
  );
}

function Effect({ event }: { readonly event: EventRow }): ReactNode {
  const effect = effectOf(event.started, event.woke, event.more);
  return <span className={effect === "nothing" ? "quiet" : ""}>{effect}</span>;
}
