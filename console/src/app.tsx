/** The console: who is at it, and which page is shown. */

import { QueryClientProvider } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { SignIn } from "./access/sign-in.tsx";
import { makeQueryClient } from "./api/query-client.ts";
import { session, useSession } from "./api/session.ts";
import { EventPage } from "./events/event-page.tsx";
import { EventsPage } from "./events/events-page.tsx";
import { HeldBanner } from "./held/held-banner.tsx";
import { type Me, whyNot } from "./model/rights.ts";
import { Overlays } from "./palette/overlays.tsx";
import { go, type Route, useRoute } from "./route.ts";
import { RunPage } from "./run/run-page.tsx";
import { RunnersPage } from "./runners/runners-page.tsx";
import { RunsPage } from "./runs/runs-page.tsx";
import { Loading, NoAnswer } from "./runs/states.tsx";
import { useDialectOfAddress } from "./ui/dialect.ts";
import { Message, TopBar } from "./ui/frame.tsx";
import { useKeys } from "./ui/keys.ts";
import { Link } from "./ui/link.tsx";
import { Said } from "./ui/said.tsx";

/** Pages that are seldom looked at are loaded when they are. */
const AccessPage = lazy(async () => ({
  default: (await import("./access/access-page.tsx")).AccessPage,
}));

const LogPage = lazy(async () => ({ default: (await import("./log/log-page.tsx")).LogPage }));

const FlowsPage = lazy(async () => ({
  default: (await import("./flows/flows-page.tsx")).FlowsPage,
}));

const FlowPage = lazy(async () => ({ default: (await import("./flows/flow-page.tsx")).FlowPage }));

const ObservedPage = lazy(async () => ({
  default: (await import("./flows/observed-page.tsx")).ObservedPage,
}));

const ReferencePage = lazy(async () => ({
  default: (await import("./reference/reference-page.tsx")).ReferencePage,
}));

const TITLES: Readonly<Record<Exclude<Route["page"], "run" | "observed">, string>> = {
  runs: "Runs, Stepwell",
  events: "Events, Stepwell",
  event: "Event, Stepwell",
  runners: "Runners, Stepwell",
  flows: "Flows, Stepwell",
  flow: "Flow, Stepwell",
  access: "Access, Stepwell",
  log: "Event log, Stepwell",
  reference: "API reference, Stepwell",
  unknown: "Stepwell",
};

/** Shows the page that the address names to who is signed in; to others the page that signs them in. */
export function App(): ReactNode {
  const now = useSession();
  useEffect(session.begin, []);
  switch (now.state) {
    case "asking":
      return <div className="app" aria-busy="true" />;
    case "signedOut":
      return (
        <div className="app">
          <SignIn ended={now.ended} />
        </div>
      );
    case "unknown":
      return (
        <div className="app">
          <main className="page">
            <NoAnswer what="who you are" error={now.error} onAgain={() => void session.check()} />
          </main>
        </div>
      );
    case "signedIn":
      return <Console me={now.me} />;
  }
}

function Console({ me }: { readonly me: Me }): ReactNode {
  const [client] = useState(makeQueryClient);
  const route = useRoute();
  useDialectOfAddress();
  useEffect(() => {
    // A run's page knows better: its title says how the run is.
    if (route.page !== "run" && route.page !== "observed") document.title = TITLES[route.page];
  }, [route]);
  useKeys({
    "g r": () => go("/runs"),
    "g e": () => go("/events"),
    "g n": () => go("/runners"),
    "g f": () => go("/flows"),
    "g a": () => go("/access"),
  });
  return (
    <QueryClientProvider client={client}>
      <div className="app">
        <TopBar page={route.page} me={me} />
        <HeldBanner />
        <Suspense fallback={<Coming />}>
          <Page route={route} me={me} />
        </Suspense>
        <Said />
        <Overlays />
      </div>
    </QueryClientProvider>
  );
}

/** Stands in for a page that is being loaded. */
function Coming(): ReactNode {
  return (
    <main className="page" aria-busy="true">
      <Loading rows={4} />
    </main>
  );
}

function Page({ route, me }: { readonly route: Route; readonly me: Me }): ReactNode {
  const off = whyNot(me, "read");
  if (off !== null) return <NotToRead why={off} />;
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
    case "flows":
      return <FlowsPage />;
    case "flow":
      return <FlowPage key={route.flow} flow={route.flow} />;
    case "observed":
      return (
        <ObservedPage
          key={`${route.flow}\u001d${route.run}`}
          flow={route.flow}
          run={route.run}
          view={route.view}
        />
      );
    case "log":
      return <LogPage key={route.run} run={route.run} />;
    case "reference":
      return <ReferencePage />;
    case "access":
      return <AccessPage part={route.part} />;
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

/** For keys of programs: they are good for what they are made for, and for no page. */
function NotToRead({ why }: { readonly why: string }): ReactNode {
  return (
    <Message title="This key is not for the console.">
      <p>{why}</p>
      <p>
        <button type="button" onClick={() => void session.signOut()}>
          Sign in with another key
        </button>
      </p>
    </Message>
  );
}
