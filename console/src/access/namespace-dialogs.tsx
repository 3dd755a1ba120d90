/** Acts on namespaces: make, delete. */

import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { ActDialog } from "../acts/act-dialog.tsx";
import { deleteNamespace, makeNamespace } from "../api/access.ts";
import { TextInput } from "../forms/field.tsx";
import type { DeletedNamespace } from "../model/access.ts";
import { commandLine, whyFlag } from "../model/cli.ts";
import { counted } from "../model/words.ts";
import { Foreign } from "../ui/text.tsx";
import { IN_AUDIT } from "./key-dialogs.tsx";
import { ACCESS } from "./queries.ts";

/** Shows the act that makes one. */
export function MakeNamespaceDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const client = useQueryClient();
  const [name, setName] = useState("");
  return (
    <ActDialog
      deed="namespaces"
      title="Make a namespace"
      lead="Runs, events and runners of a namespace are seen with its keys only. It has none at first: make one for it."
      verb="Make the namespace"
      leave="Leave it"
      signature="none"
      wrong={name.trim() === "" ? "The namespace needs a name." : null}
      line={() => commandLine(["namespaces", "create", name.trim()])}
      perform={async (_, signal) => {
        await makeNamespace(name.trim(), signal);
        await client.invalidateQueries({ queryKey: [ACCESS] });
        return null;
      }}
      onClose={onClose}
    >
      <TextInput
        name="Name"
        mono
        value={name}
        onValue={setName}
        hint="Up to 64 of a–z, 0–9, “-”, “_” and “.”, the first of them a letter or digit."
      />
    </ActDialog>
  );
}

/** Shows the act that deletes one. */
export function DeleteNamespaceDialog(props: {
  readonly name: string;
  readonly onClose: () => void;
}): ReactNode {
  const { name, onClose } = props;
  const client = useQueryClient();
  const [endsRuns, setEndsRuns] = useState(false);
  const [left, setLeft] = useState<string | null>(null);
  return (
    <ActDialog
      deed="namespaces"
      title={
        <>
          Delete the namespace <Foreign>{name}</Foreign>
        </>
      }
      lead="Its keys end at once, and what is connected with them is dropped. This cannot be taken back."
      verb="Delete the namespace"
      leave={left === null ? "Keep it" : "Close"}
      signature="why"
      reasonHint={IN_AUDIT}
      typed={name}
      over={left}
      line={({ reason }) =>
        commandLine(
          ["namespaces", "delete", name],
          [...(endsRuns ? [["--force"] as const] : []), whyFlag(reason)],
        )
      }
      perform={async ({ reason }, signal) => {
        const deleted = await deleteNamespace(name, endsRuns ? "end" : "refuse", reason, signal);
        await client.invalidateQueries({ queryKey: [ACCESS] });
        setLeft(leftWords(deleted));
        return leftWords(deleted);
      }}
      onClose={onClose}
    >
      <label className="check">
        <input
          type="checkbox"
          checked={endsRuns}
          onChange={(event) => setEndsRuns(event.target.checked)}
        />
        Terminate its runs, without clean-up
      </label>
      <p className="form-hint">
        Without it, a namespace that has runs is not deleted. What has ended stays for its
        retention, and nobody can see it; the name is taken for as long.
      </p>
    </ActDialog>
  );
}

function leftWords({ name, gone, active, ended }: DeletedNamespace): string | null {
  if (gone) return null;
  const runs = `${counted(active, "run")} of it ${active === 1 ? "is" : "are"} being ended`;
  const kept = `${counted(ended, "run")} that ended stay${ended === 1 ? "s" : ""} for the retention`;
  return `${name} is closed: its keys are over, ${runs}, and ${kept}.`;
}
