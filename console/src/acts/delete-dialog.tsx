/** Delete a run: nothing of it is left, so its page is left too. */

import { type ReactNode, useRef } from "react";
import { deleteRun } from "../api/act.ts";
import { actLine } from "../model/cli.ts";
import type { Run } from "../model/run.ts";
import { counted } from "../model/words.ts";
import { go } from "../route.ts";
import { listHref } from "../runs/came-from.ts";
import { ActDialog } from "./act-dialog.tsx";
import { RunName } from "./words.tsx";

/** Shows the act. */
export function DeleteDialog(props: {
  readonly run: Run;
  readonly over: string | null;
  readonly onClose: () => void;
}): ReactNode {
  const { run, over, onClose } = props;
  const isGone = useRef(false);
  return (
    <ActDialog
      deed="delete"
      title={
        <>
          Delete <RunName run={run} />
        </>
      }
      lead={`Its input, output and ${counted(run.steps.length, "step")} go, with its history, its key and what is found by it. This cannot be taken back.`}
      verb="Delete the run"
      leave="Keep it"
      signature="why"
      reasonHint="Stays in the audit log, with the name of your key."
      typed={run.workflow}
      over={over}
      line={({ reason }) => actLine("delete", run.id, { by: "", reason })}
      perform={async ({ reason }, signal) => {
        await deleteRun(run.id, reason, signal);
        isGone.current = true;
        return null;
      }}
      onClose={() => (isGone.current ? go(listHref(), "replace") : onClose())}
    >
      <p className="act-note">
        <strong>Its children stay.</strong> Who deleted it and why is in the audit log.
      </p>
    </ActDialog>
  );
}
