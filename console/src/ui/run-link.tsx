/** Links to runs. */

import type { ReactNode } from "react";
import { runHref } from "../route.ts";
import { Link } from "./link.tsx";

/** Links to a run by the end of its id, which tells runs apart. */
export function RunLink({ id }: { readonly id: string }): ReactNode {
  return (
    <Link href={runHref(id)} className="mono" title={id}>
      …{id.slice(-6)}
    </Link>
  );
}
