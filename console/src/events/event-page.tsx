/** One event: what it brought, what it did, and which waits it nearly matched. */

import type { ReactNode } from "react";
import { AskError } from "../api/ask.ts";
import { useLiveQuery } from "../api/live-query.ts";
import { useMe } from "../api/session.ts";
import {
  type EventDetail,
  effectOf,
  type NearMiss,
  readEvent,
  scopeOf,
  sidesOf,
} from "../model/events.ts";
import { instant } from "../model/instants.ts";
import { capital, counted, moment } from "../model/words.ts";
import { runHref } from "../route.ts";
import { NoAnswer } from "../runs/states.tsx";
import { Copy } from "../ui/copy.tsx";
import { JsonView } from "../ui/json-view.tsx";
import { Link } from "../ui/link.tsx";
import { At, Foreign, Name } from "../ui/text.tsx";

/** Shows the page. */
export function EventPage({ id }: { readonly id: string }): ReactNode {
  const { data, error, refetch } = useLiveQuery({
    path: `/events/${encodeURIComponent(id)}`,
    read: readEvent,
    when: (change) => change.events || change.others || change.runs.size > 0,
  });
  const namespace = useMe()?.namespace ?? "";
  if (data !== undefined) return <Event event={data} />;
  if (error === null) return <main className="page" aria-busy="true" />;
  const asked = error instanceof AskError ? error : new AskError(error.message, 0, null);
  return (
    <main className="page">
      {asked.status === 404 ? (
        <div className="teach" role="alert">
          <h1>
            No event <Foreign>{id}</Foreign> in <Foreign>{namespace}</Foreign>.
          </h1>
          <p>It may have been removed when its time was over, or belong to another namespace.</p>
        </div>
      ) : (
        <NoAnswer what="the event" error={asked} onAgain={() => void refetch()} />
      )}
      <p className="way-out">
        <Link href="/events">Events</Link>
      </p>
    </main>
  );
}

function Event({ event }: { readonly event: EventDetail }): ReactNode {
  const at = instant(event.acceptedAt);
  const { runsStarted, waitsWoken, more } = event;
  const effect = effectOf(runsStarted.length, waitsWoken.length, more);
  return (
    <main className="page event">
      <div className="event-head">
        <nav className="crumbs" aria-label="Where this event belongs">
          <Link href="/events">Events</Link>
          <span aria-hidden="true">/</span>
        </nav>
        <h1>
          <Foreign>{event.event}</Foreign>
        </h1>
        <span className="mono quiet-2">
          <Foreign>{event.id}</Foreign>
        </span>
        <Copy text={() => event.id} what="the event's id" />
      </div>
      <p className="event-sentence">
        <b>{capital(effect)}</b>
        {event.routed === false && ", and is still being delivered"}. It came at{" "}
        <At ms={at}>{moment(at, Date.now())}</At> for <Foreign>{scopeOf(event) ?? "all"}</Foreign>.
      </p>
      <div className="event-parts">
        <section aria-label="What it brought">
          <h2>Data</h2>
          <Value value={event.data} />
          {event.match !== null && (
            <>
              <h2>Match, in place of the data</h2>
              <Value value={event.match} />
            </>
          )}
        </section>
        <section aria-label="What it did">
          <Started runs={runsStarted} />
          <Woken waits={waitsWoken} />
          <NearMisses misses={event.nearMisses} />
          {runsStarted.length + waitsWoken.length + event.nearMisses.length === 0 && (
            <p className="quiet-2">No run was started, and no wait asked for it or nearly did.</p>
          )}
        </section>
      </div>
    </main>
  );
}

function Value({ value }: { readonly value: unknown }): ReactNode {
  return (
    <div className="event-value">
      <JsonView value={value} />
    </div>
  );
}

function RunOf({ id }: { readonly id: string }): ReactNode {
  return (
    <Link href={runHref(id)} className="mono" title={id}>
      …{id.slice(-5)}
    </Link>
  );
}

function Started({ runs }: { readonly runs: readonly string[] }): ReactNode {
  if (runs.length === 0) return null;
  return (
    <>
      <h2>{`Started ${counted(runs.length, "run")}`}</h2>
      <ul className="effects">
        {runs.map((run) => (
          <li key={run}>
            run <RunOf id={run} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Woken({ waits }: { readonly waits: EventDetail["waitsWoken"] }): ReactNode {
  if (waits.length === 0) return null;
  return (
    <>
      <h2>{`Woke ${counted(waits.length, "wait")}`}</h2>
      <ul className="effects">
        {waits.map(({ run, step }) => (
          <li key={`${run} ${step}`}>
            <Link href={`${runHref(run)}?step=${encodeURIComponent(step)}`}>
              <Name>{step}</Name>
            </Link>{" "}
            of run <RunOf id={run} />
          </li>
        ))}
      </ul>
    </>
  );
}

function NearMisses({ misses }: { readonly misses: readonly NearMiss[] }): ReactNode {
  if (misses.length === 0) return null;
  return (
    <>
      <h2>{`Nearly matched ${counted(misses.length, "wait")}`}</h2>
      <div className="misses">
        <table>
          <thead>
            <tr>
              <th scope="col">Wait</th>
              <th scope="col">It asks for</th>
              <th scope="col">The event has</th>
            </tr>
          </thead>
          <tbody>
            {misses.map((miss) => (
              <Miss key={`${miss.run} ${miss.step}`} miss={miss} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Miss({ miss }: { readonly miss: NearMiss }): ReactNode {
  const { wanted, had } = sidesOf(miss);
  return (
    <tr>
      <td>
        <Link href={`${runHref(miss.run)}?step=${encodeURIComponent(miss.step)}`}>
          <Name>{miss.step}</Name>
        </Link>{" "}
        <RunOf id={miss.run} />
      </td>
      <td className="mono differs">
        <Foreign>{wanted}</Foreign>
      </td>
      <td className="mono differs">
        <Foreign>{had}</Foreign>
      </td>
    </tr>
  );
}
