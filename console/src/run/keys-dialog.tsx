/** All keys of the page. */

import { type ReactNode, useEffect, useRef } from "react";
import { VIEWS } from "../route.ts";

const KEYS: readonly (readonly [keys: readonly string[], does: string])[] = [
  [VIEWS.map((_, at) => `${at + 1}`), "Views of the run"],
  [["j", "k"], "Next step, step before; arrows do the same"],
  [["Enter"], "Opens a result or a fan-out in place"],
  [["n", "⇧n"], "Next failure, failure before"],
  [["/"], "Filters steps by name"],
  [["e"], "Shows failures only"],
  [["i"], "Opens or closes the inspector"],
  [["Alt 1…6"], "Tabs of the inspector"],
  [["z"], "Folds idle time of the timeline"],
  [["c"], "Critical path of the timeline"],
  [["+", "−", "0"], "Zooms in, out, to all"],
  [["h", "l"], "Moves the timeline back and on"],
  [["y", "⇧y"], "Copies the run's id, the link"],
  [["Esc"], "Closes what was opened last"],
];

/** Shows the keys. */
export function KeysDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="keys" aria-label="Keys" onClose={onClose}>
      <h2>Keys</h2>
      <dl>
        {KEYS.map(([keys, does]) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}
