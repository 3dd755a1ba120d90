/** Runners: by app, one row an instance, so that a deploy or a full runner is seen at once. */

import { Fragment, type ReactNode } from "react";
import { AskError } from "../api/ask.ts";
import { useLiveQuery } from "../api/live-query.ts";
import { useMe } from "../api/session.ts";
import { instant } from "../model/instants.ts";
import { type AppRunners, byApp, type Runner, type Runs, readRunners } from "../model/runners.ts";
import { count, counted, listed, moment, shortMoment } from "../model/words.ts";
import { KeysNeeded, Loading, NoAnswer } from "../runs/states.tsx";
import { Copy } from "../ui/copy.tsx";
import { Elapsed } from "../ui/elapsed.tsx";
import { Link } from "../ui/link.tsx";
import { At, Foreign } from "../ui/text.tsx";
import { Slots } from "./slots.tsx";

/** Shows the page. */
export function RunnersPage(): ReactNode {
  const { data, error, refetch } = useLiveQuery({
    path: "/runners",
    read: readRunners,
    // Slots fill and empty as runs go on.
    when: (change) => change.runners || change.others || change.runs.size > 0,
    everyMs: 1000,
  });
  return (
    <main className="page runners">
      <div className="page-title">
        <h1>Runners</h1>
      </div>
      {data !== undefined ? (
        <Apps runners={data} />
      ) : error !== null ? (
        <NoAnswer
          what="the runners"
          error={error instanceof AskError ? error : new AskError(error.message, 0, null)}
          onAgain={() => void refetch()}
        />
      ) : (
        <Loading rows={4} />
      )}
    </main>
  );
}

function Apps({ runners }: { readonly runners: readonly Runner[] }): ReactNode {
  if (runners.length === 0) return <NoRunners />;
  return byApp(runners).map((app) => <AppSection key={app.app} app={app} />);
}

function AppSection({ app }: { readonly app: AppRunners }): ReactNode {
  return (
    <section className="app-runners">
      <h2>
        <Foreign>{app.app}</Foreign>
        <span className="quiet">
          {`${counted(app.runners.length, "runner")}, ${count(app.busy)} of ${counted(app.slots, "slot")} used`}
          {app.builds.length > 0 && `, builds ${listed(app.builds)} side by side`}
        </span>
      </h2>
      <div className="rows-table runners-table">
        <table>
          <thead>
            <tr>
              {["Runner", "Connected since", "Build", "Slots", "Holds", "Last heard", "Runs"].map(
                (head) => (
                  <th key={head} scope="col">
                    {head}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {app.runners.map((runner) => (
              <RunnerRow key={`${runner.name} ${runner.instance}`} runner={runner} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function RunnerRow({ runner }: { readonly runner: AppRunners["runners"][number] }): ReactNode {
  const connected = instant(runner.connectedAt);
  const seen = instant(runner.seenAt);
  return (
    <tr>
      <th scope="row" title={`Instance ${runner.instance}`}>
        <b>
          <Foreign>{runner.name}</Foreign>
        </b>
        {runner.draining && (
          <span className="draining" title="It ends what it runs, and takes nothing new">
            draining
          </span>
        )}
      </th>
      <td data-head="Connected since">
        <At ms={connected}>{shortMoment(connected, Date.now())}</At>{" "}
        <span className="quiet">
          <Elapsed from={connected} />
        </span>
      </td>
      <td data-head="Build">
        <span title={`${runner.build ?? "no build"}, ${runner.sdk}`}>
          <Foreign>{runner.build ?? "–"}</Foreign> <span className="quiet">{runner.sdk}</span>
        </span>
      </td>
      <td data-head="Slots">
        <Slots used={runner.busy} of={runner.slots} />
      </td>
      <td data-head="Holds">{counted(runner.held, "run")}</td>
      <td data-head="Last heard">
        <At ms={seen}>{moment(seen, Date.now())}</At>
      </td>
      <td data-head="Runs" className="runs-what">
        {runner.runs.map((one, at) => (
          <Fragment key={`${one.workflow} ${one.version}`}>
            {at > 0 && ", "}
            <WorkflowLink app={runner.app} runs={one} />
          </Fragment>
        ))}
      </td>
    </tr>
  );
}

function WorkflowLink({ app, runs }: { readonly app: string; readonly runs: Runs }): ReactNode {
  const query = new URLSearchParams({ app, wf: runs.workflow });
  const title = runs.isMixed
    ? "Another runner of this app has another version"
    : "Runs of this workflow";
  return (
    <Link href={`/runs?${query}`} title={title}>
      <Foreign>{runs.workflow}</Foreign>
      {runs.version !== null && (
        <span className={runs.isMixed ? "version mixed" : "version"}>
          {" "}
          <Foreign>{runs.version}</Foreign>
        </span>
      )}
    </Link>
  );
}

/** Teaches how to connect one. */
function NoRunners(): ReactNode {
  const asksForKeys = useMe()?.access === "keys";
  const code = [
    'import { app, unchecked, workflow } from "stepwell";',
    "",
    'const greet = workflow({ name: "greet", input: unchecked<string>() }, ({ input, step }) =>',
    '  step.run("compose", () => "Hello, " + input),',
    ");",
    `await app("quickstart", { workflows: [greet] }).serve({ url: "${location.origin}" });`,
  ].join("\n");
  return (
    <div className="teach">
      <h2>No runner is connected.</h2>
      <p className="quiet-2">
        A runner is your program: it connects to this server and runs your workflows.
      </p>
      <div className="teach-line">
        <pre className="mono">{code}</pre>
        <Copy text={() => code} what="the program" />
      </div>
      {asksForKeys && (
        <KeysNeeded which="a runner takes one of the role worker from the variable STEPWELL_KEY" />
      )}
      <p className="quiet">The first runner appears here by itself.</p>
    </div>
  );
}
