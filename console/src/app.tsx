/** The console: which page is shown. */

import { QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { makeQueryClient } from "./api/query-client.ts";
import { EventPage } from "./events/event-page.tsx";
import { EventsPage } from "./events/events-page.tsx";
import { Overlays } from "./palette/overlays.tsx";
import { go, type Route, useRoute } from "./route.ts";
import { RunPage } from "./run/run-page.tsx";
import { RunnersPage } from "./runners/runners-page.tsx";
import { RunsPage } from "./runs/runs-page.tsx";
import { Message, TopBar } from "./ui/frame.tsx";
import { useKeys } from "./ui/keys.ts";
import { Link } from "./ui/link.tsx";

const TITLES: Readonly<Record<Exclude<Route["page"], "run">, string>> = {
  runs: "Runs, Stepwell",
  events: "Events, Stepwell",
  event: "Event, Stepwell",
  runners: "Runners, Stepwell",
  unknown: "Stepwell",
};

/** Shows the page that the address names. */
export function App(): ReactNode {
  const [client] = useState(makeQueryClient);
  const route = useRoute();
  useEffect(() => {
    // A run's page knows better: its title says how the run is.
    if (route.page !== "run") document.title = TITLES[route.page];
  }, [route]);
  useKeys({
    "g r": () => go("/runs"),
    "g e": () => go("/events"),
    "g n": () => go("/runners"),
  });
  return (
    <QueryClientProvider client={client}>
      <div className="app">
        <TopBar page={route.page} />
        <Page route={route} />
        <Overlays />
      </div>
    </QueryClientProvider>
  );
}

function Page({ route }: { readonly route: Route }): ReactNode {
  switch (route.page) {
    case "runs":
      return <RunsPage starting={route.starting} />;
    case "run":
      return <RunPage key={route.run} id={route.run} view={route.view} />;
    case "events":
      return <EventsPage />;
    case "event":
      return <EventPage key={route.event} id={route.event} />;
    case "runners":
      return <RunnersPage />;
    case "unknown":
      return (
        <Message title="No page has this address.">
          <p>
            <Link href="/runs">All runs</Link>
          </p>
        </Message>
      );
  }
}
