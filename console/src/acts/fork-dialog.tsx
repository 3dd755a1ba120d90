/** Fork: a new run goes on from a step, with what came before it kept or edited. */

import { type ReactNode, useMemo, useState } from "react";
import { fork, JsonText } from "../api/act.ts";
import { Field } from "../forms/field.tsx";
import { changesIn, JsonField, jsonError } from "../forms/json-field.tsx";
import { actLine, compactJson, type Flag } from "../model/cli.ts";
import { type ForkPlan, forkPlan } from "../model/fork.ts";
import { oneLine } from "../model/json.ts";
import { formatJson } from "../model/json-text.ts";
import { forkStepOf } from "../model/offers.ts";
import { hasEnded, isCleanUp, nameOf, type Run, type Step } from "../model/run.ts";
import { counted } from "../model/words.ts";
import { go, runHref } from "../route.ts";
import { StepGlyph } from "../ui/step-status.tsx";
import { Name, Pieces } from "../ui/text.tsx";
import { ActDialog } from "./act-dialog.tsx";
import { idsOf, RunName, StepNames } from "./words.tsx";

interface ForkDialogProps {
  readonly run: Run;
  /** The step that was asked for; null for the one that failed, or the last. */
  readonly step: string | null;
  readonly over: string | null;
  readonly onClose: () => void;
}

type Edits = Readonly<Record<string, string>>;

/** Shows the act. */
export function ForkDialog({ run, step, over, onClose }: ForkDialogProps): ReactNode {
  const [from, setFrom] = useState(() => forkStepOf(run, step) ?? step ?? "");
  const [edits, setEdits] = useState<Edits>({});
  const [input, setInput] = useState(() => formatJson(run.input));
  const plan = useMemo(() => forkPlan(run, from), [run, from]);
  const changed = changedOutputs(plan, edits);
  const inputChanges = changesIn(input, run.input);
  const newInput = inputChanges?.length === 0 ? null : input;
  const open = !hasEnded(run);
  const wrong =
    jsonError(input) !== null || Object.values(changed).some((text) => jsonError(text) !== null)
      ? "What was edited is no JSON yet."
      : null;
  const flags: readonly Flag[] = [
    ["--from", from],
    ["--input", newInput === null ? null : compactJson(newInput)],
    ...Object.entries(changed).map(
      ([id, text]): Flag => ["--output", `${id}=${compactJson(text)}`],
    ),
  ];
  return (
    <ActDialog
      deed="fork"
      title={
        <>
          Fork <RunName run={run} /> at <Name>{nameOf(from)}</Name>
        </>
      }
      lead={<Lead plan={plan} from={from} open={open} />}
      verb="Fork the run"
      leave="Leave it"
      wrong={wrong}
      over={over}
      typed={open ? run.workflow : null}
      reasonHint="Stays in the history of the new run, with your name."
      line={(signed) => actLine("fork", run.id, signed, flags)}
      perform={async (signed, signal) => {
        const outputs = Object.entries(changed).map(([id, text]) => [id, new JsonText(text)]);
        const request = {
          step: from,
          ...(newInput !== null && { input: new JsonText(newInput) }),
          ...(outputs.length > 0 && { outputs: Object.fromEntries(outputs) }),
        };
        go(runHref(await fork(run.id, request, signed, signal)));
        return null;
      }}
      onClose={onClose}
    >
      <Undone plan={plan} />
      <FromField run={run} from={from} onFrom={setFrom} />
      <Kept plan={plan} edits={edits} onEdit={(id, text) => setEdits({ ...edits, [id]: text })} />
      <Again plan={plan} />
      <JsonField name="Input" text={input} onText={setInput} original={run.input} rowsMax={7} />
    </ActDialog>
  );
}

/** The edited outputs that differ from what was recorded, of steps that are kept. */
function changedOutputs(plan: ForkPlan, edits: Edits): Edits {
  const kept = new Map(plan.kept.map((step) => [step.id, step]));
  return Object.fromEntries(
    Object.entries(edits).filter(([id, text]) => {
      const step = kept.get(id);
      return step !== undefined && changesIn(text, step.output)?.length !== 0;
    }),
  );
}

function Lead(props: {
  readonly plan: ForkPlan;
  readonly from: string;
  readonly open: boolean;
}): ReactNode {
  const { plan, from, open } = props;
  return (
    <>
      A new run starts. It keeps{" "}
      {plan.kept.length === 0 ? "no result" : counted(plan.kept.length, "result")} and runs{" "}
      <Name>{nameOf(from)}</Name> again.{" "}
      {open ? (
        <strong>This run is cancelled, without clean-up.</strong>
      ) : (
        "This run stays as it is."
      )}
    </>
  );
}

function Undone({ plan }: { readonly plan: ForkPlan }): ReactNode {
  const repeated = plan.kept.filter((step) => step.kind === "invoke" || step.kind === "emit");
  if (plan.undone.length === 0 && repeated.length === 0) return null;
  return (
    <p className="act-note">
      {plan.undone.length > 0 && (
        <>
          <strong>Compensated steps run again.</strong> <StepNames ids={idsOf(plan.undone)} />{" "}
          {plan.undone.length === 1 ? "was" : "were"} compensated in clean-up.{" "}
        </>
      )}
      {repeated.length > 0 && (
        <>
          <StepNames ids={idsOf(repeated)} /> {repeated.length === 1 ? "is" : "are"} not repeated:
          children and events of kept steps stay as they were.
        </>
      )}
    </p>
  );
}

function FromField(props: {
  readonly run: Run;
  readonly from: string;
  readonly onFrom: (id: string) => void;
}): ReactNode {
  const own = props.run.steps.filter((step) => !isCleanUp(step));
  return (
    <Field name="From the step">
      {({ id }) => (
        <select
          id={id}
          className="input mono"
          value={props.from}
          onChange={(event) => props.onFrom(event.target.value)}
        >
          {own.map((step) => (
            <option key={step.id} value={step.id}>
              {nameOf(step.id)}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

const SHOWN_MAX = 6;

function Kept(props: {
  readonly plan: ForkPlan;
  readonly edits: Edits;
  readonly onEdit: (id: string, text: string) => void;
}): ReactNode {
  const { plan, edits, onEdit } = props;
  const [filter, setFilter] = useState("");
  const [shown, setShown] = useState(SHOWN_MAX);
  if (plan.kept.length === 0) return null;
  const low = filter.toLowerCase();
  const found = plan.kept.filter((step) => nameOf(step.id).toLowerCase().includes(low));
  return (
    <section className="kept" aria-label="Kept results">
      <div className="form-name">
        <span>Kept</span>
        <span className="form-aside">outputs can be edited</span>
      </div>
      {plan.kept.length > SHOWN_MAX && (
        <input
          className="input"
          data-aside=""
          value={filter}
          placeholder={`Find one of ${counted(plan.kept.length, "kept step")}`}
          aria-label="Find a kept step"
          onChange={(event) => setFilter(event.target.value)}
        />
      )}
      <ul>
        {found.slice(0, shown).map((step) => (
          <KeptRow key={step.id} step={step} text={edits[step.id] ?? null} onEdit={onEdit} />
        ))}
      </ul>
      {found.length > shown && (
        <button type="button" className="plain" onClick={() => setShown(shown + 50)}>
          {`Show more of ${counted(found.length, "step")}`}
        </button>
      )}
    </section>
  );
}

function KeptRow(props: {
  readonly step: Step;
  readonly text: string | null;
  readonly onEdit: (id: string, text: string) => void;
}): ReactNode {
  const { step, text, onEdit } = props;
  const [open, setOpen] = useState(text !== null);
  const line = useMemo(() => oneLine(step.output, 120), [step.output]);
  const changes = text === null ? null : changesIn(text, step.output);
  const note = changes !== null && changes.length > 0 ? counted(changes.length, "change") : "kept";
  return (
    <li>
      <div className="kept-row">
        <StepGlyph status={step.status} />
        <Name>{nameOf(step.id)}</Name>
        <span className="kept-value">
          <Pieces pieces={line} />
        </span>
        <span className="form-aside">{note}</span>
        {step.status === "completed" && (
          <button
            type="button"
            className="plain"
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            {open ? "Close" : "Edit"}
            <span className="hidden"> the output of {nameOf(step.id)}</span>
          </button>
        )}
      </div>
      {open && (
        <JsonField
          name={<span className="hidden">Output of {nameOf(step.id)}</span>}
          text={text ?? formatJson(step.output)}
          onText={(next) => onEdit(step.id, next)}
          original={step.output}
        />
      )}
    </li>
  );
}

const CHIPS_MAX = 12;

function Again({ plan }: { readonly plan: ForkPlan }): ReactNode {
  const more = plan.again.length - CHIPS_MAX;
  return (
    <section className="again" aria-label="Steps that run again">
      <div className="form-name">
        <span>Runs again</span>
      </div>
      <ul className="chips">
        {plan.again.slice(0, CHIPS_MAX).map((step) => (
          <li key={step.id}>
            <StepGlyph status="pending" size={14} label="word" />
            <Name>{nameOf(step.id)}</Name>
          </li>
        ))}
        {more > 0 && <li>{`${more} more`}</li>}
      </ul>
    </section>
  );
}
