/** All keys of a page. */

import type { ReactNode } from "react";
import { useRoute } from "../route.ts";
import { Dialog } from "../ui/dialog.tsx";
import { areLettersOff } from "../ui/keys.ts";
import { platformKey } from "../ui/platform.ts";
import { keysOf } from "./keys.ts";

/** Shows the keys of the page. */
export function KeysDialog(props: {
  readonly onClose: () => void;
  readonly onSettings: () => void;
}): ReactNode {
  const groups = keysOf(useRoute().page);
  return (
    <Dialog
      title="Keys"
      onClose={props.onClose}
      wide={groups.length > 1}
      foot={
        <>
          <span className="act-by">
            {areLettersOff() ? "Keys of a single letter are off." : "Keys are off while you type."}
          </span>
          <button type="button" onClick={props.onSettings}>
            Settings
          </button>
          <button type="button" onClick={props.onClose}>
            Close
          </button>
        </>
      }
    >
      <div className="key-groups">
        {groups.map((group) => (
          <section key={group.name} aria-label={group.name}>
            <h3>{group.name}</h3>
            <dl>
              {group.lines.map(({ keys, does }) => (
                <div key={does}>
                  <dt>
                    {keys.map((key) => (
                      <kbd key={key}>{platformKey(key)}</kbd>
                    ))}
                  </dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
