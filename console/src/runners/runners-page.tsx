/** Runners. */

import type { ReactNode } from "react";

/** Shows the page. */
export function RunnersPage(): ReactNode {
  return (
    <main className="page">
      <h1>Runners</h1>
    </main>
  );
}
