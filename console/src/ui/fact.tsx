/** A line of a list of facts: its name, and what is so. */

import type { ReactNode } from "react";

/** Shows it, within a `dl`. */
export function Fact(props: { readonly name: string; readonly children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}
