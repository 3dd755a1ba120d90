/** Events. */

import type { ReactNode } from "react";

/** Shows the page. */
export function EventsPage(): ReactNode {
  return (
    <main className="page">
      <h1>Events</h1>
    </main>
  );
}
