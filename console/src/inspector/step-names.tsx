/** Names of steps in the foot of the inspector, which lead to them. */

import type { ReactNode } from "react";
import { titleOf } from "../model/run.ts";
import { counted } from "../model/words.ts";
import { usePage } from "../run/use-page.ts";
import { Name } from "../ui/text.tsx";

/** More names than this are counted. */
const NAMES_MAX = 6;

/** Shows the names behind their word; nothing where there are none. */
export function StepNames({
  words,
  ids,
}: {
  readonly words: string;
  readonly ids: readonly string[];
}): ReactNode {
  const { select } = usePage();
  if (ids.length === 0) return null;
  return (
    <>
      <dt>{words}</dt>
      <dd>
        {ids.slice(0, NAMES_MAX).map((id, at) => (
          <span key={id}>
            {at > 0 && ", "}
            <button type="button" className="plain" onClick={() => select({ type: "step", id })}>
              <Name>{titleOf(id)}</Name>
            </button>
          </span>
        ))}
        {ids.length > NAMES_MAX && ` and ${counted(ids.length - NAMES_MAX, "more", "more")}`}
      </dd>
    </>
  );
}
