/** Which runs a filter names: one line for each of its parts. */

import { Fragment, type ReactNode } from "react";
import { filterFacts } from "../model/bulk.ts";
import { Fact } from "../ui/fact.tsx";
import { Foreign } from "../ui/text.tsx";

interface FilterProps {
  /** As the API takes and tells it. */
  readonly filter: Readonly<Record<string, unknown>>;
}

/** Shows them as lines of a list of facts. */
export function FilterRows({ filter }: FilterProps): ReactNode {
  return filterFacts(filter, Date.now()).map(({ name, value }) => (
    <Fact key={`${name} ${value}`} name={name}>
      <Foreign>{value}</Foreign>
    </Fact>
  ));
}

/** Shows them in one line. */
export function FilterLine({ filter }: FilterProps): ReactNode {
  return filterFacts(filter, Date.now()).map(({ name, value }, at) => (
    <Fragment key={`${name} ${value}`}>
      {at > 0 && " · "}
      {name} <Foreign>{value}</Foreign>
    </Fragment>
  ));
}
