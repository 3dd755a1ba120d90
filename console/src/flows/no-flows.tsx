/** Teaches how the first flow comes to be. */

import type { ReactNode } from "react";
import { useMe } from "../api/session.ts";
import { quoted } from "../model/take.ts";
import { KeysNeeded } from "../runs/states.tsx";
import { Copy } from "../ui/copy.tsx";

/** Shows how code begins to tell of itself, and how a flow is declared. */
export function NoFlows(): ReactNode {
  const asksForKeys = useMe()?.access === "keys";
  const key = asksForKeys ? "projectKey: process.env.STEPWELL_KEY, " : "";
  const code = [
    'import { createTelemetryClient } from "stepwell/telemetry";',
    "",
    `const client = createTelemetryClient({ ${key}url: "${location.origin}" });`,
    'await client.run("checkout", { runId }).step("charge", () => charge(order));',
  ].join("\n");
  return (
    <div className="teach">
      <h2>No flows yet.</h2>
      <p className="quiet-2">
        A flow is code that runs as it does and tells of its steps. It begins with two lines, in
        TypeScript:
      </p>
      <div className="teach-line">
        <pre className="mono">{code}</pre>
        <Copy text={() => code} what="the lines" />
      </div>
      {asksForKeys && <KeysNeeded which="what tells of itself shows one of the role telemetry" />}
      <Declare />
      <p className="quiet">The first run appears here by itself.</p>
    </div>
  );
}

/** How a flow is declared: then what is missing is seen as well. `flow` names one that has runs. */
export function Declare({ flow }: { readonly flow?: string }): ReactNode {
  const line =
    flow === undefined
      ? "stepwell flows init"
      : `stepwell flows init --from-server ${quoted(flow)} --url ${location.origin}`;
  return (
    <div className="declare">
      <p>
        Declare its steps, and what was missed is seen as well: this writes{" "}
        {flow === undefined ? "a sample" : "what its runs show"} into{" "}
        <code>.stepwell/flows.json</code>, and <code>stepwell flows push</code> sends it.
      </p>
      <span className="teach-line">
        <code>{line}</code>
        <Copy text={() => line} what="the line" />
      </span>
    </div>
  );
}
