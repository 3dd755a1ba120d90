/** Rerun: a new run from the beginning, with the same input or an edited one. */

import { type ReactNode, useState } from "react";
import { JsonText, rerun } from "../api/act.ts";
import { inputSchemaOf, useWorkflows } from "../api/workflows.ts";
import { changesIn, jsonError } from "../forms/json-field.tsx";
import { SchemaForm } from "../forms/schema-form.tsx";
import { actLine, compactJson } from "../model/cli.ts";
import { formatJson } from "../model/json-text.ts";
import { hasEnded, type Run } from "../model/run.ts";
import { go, runHref } from "../route.ts";
import { Foreign } from "../ui/text.tsx";
import { ActDialog } from "./act-dialog.tsx";
import { RunName } from "./words.tsx";

/** Shows the act. */
export function RerunDialog(props: {
  readonly run: Run;
  readonly over: string | null;
  readonly onClose: () => void;
}): ReactNode {
  const { run, over, onClose } = props;
  const [text, setText] = useState(() => formatJson(run.input));
  const [isHalf, setHalf] = useState(false);
  const { workflows } = useWorkflows(run.app);
  const schema = inputSchemaOf(workflows?.find((one) => one.name === run.workflow));
  const isSame = changesIn(text, run.input)?.length === 0;
  return (
    <ActDialog
      deed="rerun"
      title={
        <>
          Rerun <RunName run={run} />
        </>
      }
      lead={
        <>
          A new run of <Foreign>{run.workflow}</Foreign> starts from the beginning with the input
          below. This run {hasEnded(run) ? "stays as it is" : "goes on beside it"}.
        </>
      }
      verb="Start it again"
      leave="Leave it"
      over={over}
      wide={schema !== null}
      wrong={jsonError(text) === null && !isHalf ? null : "The input is no JSON yet."}
      reasonHint="Stays in the history of the new run, with your name."
      line={(signed) =>
        actLine("rerun", run.id, signed, [["--input", isSame ? null : compactJson(text)]])
      }
      perform={async (signed, signal) => {
        // What was not edited is left to the server, which knows it to the last digit.
        const input = isSame ? undefined : new JsonText(text);
        go(runHref(await rerun(run.id, input, signed, signal)));
        return null;
      }}
      onClose={onClose}
    >
      {(places) => (
        <SchemaForm
          schema={schema}
          text={text}
          onText={setText}
          onWrong={setHalf}
          places={places}
          original={run.input}
        />
      )}
    </ActDialog>
  );
}
