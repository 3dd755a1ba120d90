/** One event. */

import type { ReactNode } from "react";
import { Foreign } from "../ui/text.tsx";

/** Shows the page. */
export function EventPage({ id }: { readonly id: string }): ReactNode {
  return (
    <main className="page">
      <h1>
        <Foreign>{id}</Foreign>
      </h1>
    </main>
  );
}
