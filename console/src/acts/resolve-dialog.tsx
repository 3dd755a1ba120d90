/** Resolve: a person says how a step ended whose outcome nobody else knows. */

import { type ReactNode, useState } from "react";
import { JsonText, type Resolution, resolve } from "../api/act.ts";
import { Choice, TextInput } from "../forms/field.tsx";
import { JsonField, jsonError } from "../forms/json-field.tsx";
import { actLine, compactJson, type Flag } from "../model/cli.ts";
import { instant } from "../model/instants.ts";
import { oneLine } from "../model/json.ts";
import { nameOf, type Run, type Step } from "../model/run.ts";
import { clock, elapsed } from "../model/words.ts";
import { Foreign, Name, Pieces } from "../ui/text.tsx";
import { ActDialog } from "./act-dialog.tsx";
import { RunName } from "./words.tsx";

type Outcome = Resolution["outcome"];

const VERBS: Readonly<Record<Outcome, string>> = {
  completed: "Record it as completed",
  notDone: "Start it again",
  failed: "Record it as failed",
};

/** Shows the act. */
export function ResolveDialog(props: {
  readonly run: Run;
  readonly step: Step;
  readonly over: string | null;
  readonly onClose: () => void;
}): ReactNode {
  const { run, step, over, onClose } = props;
  const [outcome, setOutcome] = useState<Outcome>("completed");
  const [output, setOutput] = useState("");
  const [name, setName] = useState("Error");
  const [message, setMessage] = useState("");
  const answer = { outcome, output, name: name.trim(), message: message.trim() };
  return (
    <ActDialog
      deed="resolve"
      title={
        <>
          What happened in <Name>{nameOf(step.id)}</Name> of <RunName run={run} />?
        </>
      }
      lead={<Lead step={step} outcome={outcome} />}
      verb={VERBS[outcome]}
      leave="Leave it unknown"
      over={over}
      wrong={wrongIn(answer)}
      line={(signed) => actLine("resolve", run.id, signed, flagsOf(step.id, answer))}
      perform={async (signed, signal) => {
        await resolve(run.id, step.id, resolutionOf(answer), signed, signal);
        return null;
      }}
      onClose={onClose}
    >
      <Evidence step={step} />
      <Choice<Outcome>
        name="It is"
        value={outcome}
        onValue={setOutcome}
        options={[
          { value: "completed", words: "Done, with this value" },
          { value: "notDone", words: "Not done, start it again" },
          { value: "failed", words: "Failed, with an error" },
        ]}
      />
      {outcome === "completed" && (
        <JsonField
          name="Value"
          text={output}
          onText={setOutput}
          optional
          hint="What the code is given; nothing for none."
        />
      )}
      {outcome === "failed" && (
        <>
          <TextInput name="Message of the error" value={message} onValue={setMessage} />
          <TextInput name="Name of the error" mono value={name} onValue={setName} />
        </>
      )}
    </ActDialog>
  );
}

interface Answer {
  readonly outcome: Outcome;
  readonly output: string;
  readonly name: string;
  readonly message: string;
}

function wrongIn({ outcome, output, name, message }: Answer): string | null {
  if (outcome === "completed") return jsonError(output, true) && "The value is no JSON yet.";
  if (outcome === "notDone" || (name !== "" && message !== "")) return null;
  return "The error needs a name and a message.";
}

function resolutionOf({ outcome, output, name, message }: Answer): Resolution {
  if (outcome === "failed") return { outcome, error: { name, message } };
  if (outcome === "notDone" || output.trim() === "") return { outcome };
  return { outcome, output: new JsonText(output) };
}

function flagsOf(step: string, { outcome, output, name, message }: Answer): readonly Flag[] {
  const about: Flag = ["--step", step];
  if (outcome === "notDone") return [about, ["--not-done"]];
  if (outcome === "failed") {
    return [about, ["--failed", message], ["--error-name", name === "Error" ? null : name]];
  }
  return [about, output.trim() === "" ? ["--completed"] : ["--completed", compactJson(output)]];
}

function Lead({ step, outcome }: { readonly step: Step; readonly outcome: Outcome }): ReactNode {
  const name = <Name>{nameOf(step.id)}</Name>;
  switch (outcome) {
    case "completed":
      return <>{name} is recorded as completed with your value, and the run goes on from it.</>;
    case "notDone":
      return <>The function of {name} starts again at once, as if it had never run.</>;
    case "failed":
      return <>{name} is recorded as failed; the code is given the error and may catch it.</>;
  }
}

const LOGS_MAX = 6;

/** What is known of it, for whoever must say how it ended. */
function Evidence({ step }: { readonly step: Step }): ReactNode {
  const attempt = step.attempts.at(-1);
  const logs = step.logs.slice(-LOGS_MAX);
  return (
    <dl className="evidence">
      {attempt !== undefined && (
        <div>
          <dt>Attempt {attempt.n}</dt>
          <dd>
            began at {clock(instant(attempt.startedAt), "milliseconds")} on{" "}
            <Foreign>{attempt.runner}</Foreign>
            {attempt.endedAt !== null &&
              `, not heard of after ${elapsed(instant(attempt.endedAt) - instant(attempt.startedAt))}`}
          </dd>
        </div>
      )}
      {(attempt?.error ?? step.error) !== null && (
        <div>
          <dt>Said</dt>
          <dd>
            <Foreign>{(attempt?.error ?? step.error)?.message ?? ""}</Foreign>
          </dd>
        </div>
      )}
      {step.input !== null && (
        <div>
          <dt>Input</dt>
          <dd className="kept-value">
            <Pieces pieces={oneLine(step.input, 160)} />
          </dd>
        </div>
      )}
      <div>
        <dt>Logs</dt>
        <dd>
          {logs.length === 0
            ? "none"
            : logs.map((line) => (
                <div key={`${line.at} ${line.message}`}>
                  <span className="mono">{clock(instant(line.at), "milliseconds")}</span>{" "}
                  <Foreign>{line.message}</Foreign>
                </div>
              ))}
        </dd>
      </div>
    </dl>
  );
}
