/** Start a run: a workflow, its input as a form and as JSON, and what else a start takes. */

import { type ReactNode, useState } from "react";
import { JsonText, startRun } from "../api/act.ts";
import { inputSchemaOf, useWorkflows, type Workflow } from "../api/workflows.ts";
import { Field, TextInput } from "../forms/field.tsx";
import { JsonField, jsonError } from "../forms/json-field.tsx";
import { SchemaForm } from "../forms/schema-form.tsx";
import { compactJson, type Flag, startLine } from "../model/cli.ts";
import { formatJson } from "../model/json-text.ts";
import { initialOf, schemaOf } from "../model/schema.ts";
import { Foreign } from "../ui/text.tsx";
import { ActDialog } from "./act-dialog.tsx";

interface StartDialogProps {
  /** What is chosen at first. */
  readonly workflow: string | null;
  readonly app: string | null;
  readonly onClose: () => void;
  /** Told once the start is durable. The dialog closes after it. */
  readonly onStarted: (run: string, created: boolean) => void;
}

interface More {
  readonly key: string;
  readonly delay: string;
  readonly timeout: string;
  readonly search: string;
}

const NOTHING: More = { key: "", delay: "", timeout: "", search: "" };

/** Shows the dialog. */
export function StartDialog(props: StartDialogProps): ReactNode {
  const { workflows, error } = useWorkflows(null);
  const [chosen, setChosen] = useState({ workflow: props.workflow, app: props.app });
  const all = workflows ?? [];
  const workflow =
    all.find(
      (one) => one.name === chosen.workflow && (chosen.app === null || one.app === chosen.app),
    ) ?? (chosen.workflow === null ? all[0] : undefined);
  const [typed, setTyped] = useState<string | null>(null);
  const [isHalf, setHalf] = useState(false);
  const [more, setMore] = useState(NOTHING);
  const schema = inputSchemaOf(workflow);
  const text = typed ?? initialText(schema);
  const wrong = wrongIn(workflow, text, more, isHalf);
  return (
    <ActDialog
      deed="start"
      title="Start a run"
      lead={
        workflow === undefined ? (
          <NoWorkflow wanted={chosen.workflow} isKnown={workflows !== null} error={error} />
        ) : (
          <>
            A run of <Foreign>{workflow.name}</Foreign> starts in <Foreign>{workflow.app}</Foreign>
            {more.delay.trim() === "" ? (
              " at once"
            ) : (
              <>
                {" "}
                after <Foreign>{more.delay}</Foreign>
              </>
            )}
            .
          </>
        )
      }
      verb="Start the run"
      leave="Leave it"
      signature="none"
      wide={schema !== null}
      wrong={wrong}
      line={() => startLine(workflow?.name ?? "", flagsOf(workflow, text, more))}
      perform={async (_, signal) => {
        if (workflow === undefined) return null;
        const { id, created } = await startRun(requestOf(workflow, text, more), signal);
        props.onStarted(id, created);
        return null;
      }}
      onClose={props.onClose}
    >
      {(places) => (
        <>
          <WorkflowField
            workflows={all}
            chosen={workflow}
            onChoose={(one) => {
              setChosen({ workflow: one.name, app: one.app });
              setTyped(null);
            }}
          />
          <SchemaForm
            key={`${workflow?.app} ${workflow?.name}`}
            schema={schema}
            text={text}
            onText={setTyped}
            onWrong={setHalf}
            places={places}
            optional
          />
          <MoreFields more={more} onMore={setMore} />
        </>
      )}
    </ActDialog>
  );
}

function initialText(schema: unknown): string {
  return schema === null ? "" : formatJson(initialOf(schemaOf(schema)));
}

function wrongIn(
  workflow: Workflow | undefined,
  text: string,
  more: More,
  isHalf: boolean,
): string | null {
  if (workflow === undefined) return "Choose a workflow.";
  if (jsonError(text, true) !== null || isHalf) return "The input is no JSON yet.";
  return jsonError(more.search, true) === null ? null : "The attributes are no JSON yet.";
}

function requestOf(workflow: Workflow, text: string, more: More): Parameters<typeof startRun>[0] {
  return {
    workflow: workflow.name,
    app: workflow.app,
    ...(text.trim() !== "" && { input: new JsonText(text) }),
    ...(more.key.trim() !== "" && { key: more.key.trim() }),
    ...(more.delay.trim() !== "" && { delay: more.delay.trim() }),
    ...(more.timeout.trim() !== "" && { timeout: more.timeout.trim() }),
    ...(more.search.trim() !== "" && { search: new JsonText(more.search) }),
  };
}

function flagsOf(workflow: Workflow | undefined, text: string, more: More): readonly Flag[] {
  const given = (value: string) => (value.trim() === "" ? null : value.trim());
  return [
    ["--app", workflow?.app ?? null],
    ["--input", text.trim() === "" ? null : compactJson(text)],
    ["--key", given(more.key)],
    ["--delay", given(more.delay)],
    ["--timeout", given(more.timeout)],
    ["--search", more.search.trim() === "" ? null : compactJson(more.search)],
  ];
}

function NoWorkflow(props: {
  readonly wanted: string | null;
  readonly isKnown: boolean;
  readonly error: Error | null;
}): ReactNode {
  if (props.error !== null) return <>Could not read the workflows: {props.error.message}.</>;
  if (!props.isKnown) return <>Reading the workflows.</>;
  if (props.wanted === null) {
    return <>No workflow is known yet: it is once a runner that has one has connected.</>;
  }
  return (
    <>
      No workflow <Foreign>{props.wanted}</Foreign> is known here.
    </>
  );
}

function WorkflowField(props: {
  readonly workflows: readonly Workflow[];
  readonly chosen: Workflow | undefined;
  readonly onChoose: (workflow: Workflow) => void;
}): ReactNode {
  const { workflows, chosen, onChoose } = props;
  const apps = [...new Set(workflows.map((one) => one.app))];
  return (
    <Field name="Workflow">
      {({ id }) => (
        <select
          id={id}
          className="input"
          value={chosen === undefined ? -1 : workflows.indexOf(chosen)}
          onChange={(event) => {
            const one = workflows[Number(event.target.value)];
            if (one !== undefined) onChoose(one);
          }}
        >
          {chosen === undefined && <option value={-1}>–</option>}
          {apps.map((app) => (
            <optgroup key={app} label={app}>
              {workflows.map((one, at) =>
                one.app === app ? (
                  <option key={one.name} value={at}>
                    {one.version === null ? one.name : `${one.name}, version ${one.version}`}
                  </option>
                ) : null,
              )}
            </optgroup>
          ))}
        </select>
      )}
    </Field>
  );
}

function MoreFields({
  more,
  onMore,
}: {
  readonly more: More;
  readonly onMore: (more: More) => void;
}): ReactNode {
  return (
    <details className="form-more">
      <summary>More</summary>
      <TextInput
        name="Key"
        mono
        value={more.key}
        onValue={(key) => onMore({ ...more, key })}
        hint="Idempotency key: the second start with it finds the first one's run."
      />
      <TextInput
        name="Delay"
        mono
        value={more.delay}
        onValue={(delay) => onMore({ ...more, delay })}
        hint="Such as 10m; without it the run starts at once."
      />
      <TextInput
        name="Timeout"
        mono
        value={more.timeout}
        onValue={(timeout) => onMore({ ...more, timeout })}
        hint="Most time for the run, such as 1h."
      />
      <JsonField
        name="Attributes"
        text={more.search}
        onText={(search) => onMore({ ...more, search })}
        optional
        hint='Such as {"country": "DE"}; runs are found by them.'
      />
    </details>
  );
}
