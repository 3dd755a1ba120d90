/** A key that was made: shown once, and kept nowhere. */

import { type ReactNode, useState } from "react";
import type { MadeKey } from "../model/access.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Foreign } from "../ui/text.tsx";

/** Shows the key. It is left in one go once it was copied; else it is asked again, for it will not be seen again. */
export function MadeKeyDialog(props: {
  readonly made: MadeKey;
  readonly onClose: () => void;
}): ReactNode {
  const { made, onClose } = props;
  const [isCopied, setCopied] = useState(false);
  const [isWarned, setWarned] = useState(false);
  const copy = () => {
    navigator.clipboard.writeText(made.key).then(
      () => setCopied(true),
      () => setCopied(false),
    );
  };
  const leave = () => (isCopied || isWarned ? onClose() : setWarned(true));
  return (
    <Dialog
      title={
        <>
          The key <Foreign>{made.name}</Foreign>
        </>
      }
      onClose={leave}
      foot={
        <>
          <button type="button" onClick={leave}>
            {isWarned && !isCopied ? "Leave it all the same" : "I have kept it"}
          </button>
          <button type="button" className="filled" data-first onClick={copy}>
            {isCopied ? "Copied" : "Copy the key"}
          </button>
        </>
      }
    >
      <p className="act-lead">
        It is shown here once. The server keeps only a hash of it, and nobody can show it again.
      </p>
      <output className="made-key mono" aria-label="The key">
        {made.key}
      </output>
      <p className="quiet-2">
        Role <Foreign>{made.role}</Foreign> in the namespace <Foreign>{made.namespace}</Foreign>.
        Programs take it from the variable <code>STEPWELL_KEY</code>, or show it as{" "}
        <code>Authorization: Bearer</code>.
      </p>
      <div role="alert" className="act-said">
        {isWarned && !isCopied && (
          <p className="act-note">It was not copied, and cannot be seen again once this closes.</p>
        )}
      </div>
    </Dialog>
  );
}
