/** What leads to flows and observed runs, and says what they are. */

import type { ReactNode } from "react";
import { shortId } from "../model/observed-words.ts";
import type { Heading } from "../model/rows.ts";
import { observedHref } from "../route.ts";
import { Glyph } from "./glyph.tsx";
import { Link } from "./link.tsx";
import { Foreign } from "./text.tsx";

/** Says what the rows below a heading are. */
export function HeadingWords({ of }: { readonly of: Heading }): ReactNode {
  if (of === "undeclared") {
    return (
      <span className="heading">
        <strong>Not declared</strong>
        <span className="kind">called, but not in the flow file</span>
      </span>
    );
  }
  const { flow, name, run, status } = of.run;
  return (
    <span className="heading">
      <strong>Observed</strong>
      <Glyph status={status} size={14} />
      <Link href={observedHref(flow, run)}>
        <Foreign>{name}</Foreign> <span className="mono">{shortId(run)}</span>
      </Link>
      <span className="kind">outside of this run, of the same id or trace</span>
    </span>
  );
}
