/** The console: which page is shown. */

import { type ReactNode, useEffect } from "react";
import { useRoute } from "./route.ts";
import { RunPage } from "./run/run-page.tsx";
import { RunsPage } from "./runs/runs-page.tsx";
import { Message, TopBar } from "./ui/frame.tsx";
import { Link } from "./ui/link.tsx";

/** Shows the page that the address names. */
export function App(): ReactNode {
  const route = useRoute();
  useEffect(() => {
    if (route.page !== "run") document.title = "Stepwell";
  }, [route]);
  switch (route.page) {
    case "runs":
      return <RunsPage />;
    case "run":
      return <RunPage key={route.run} id={route.run} view={route.view} />;
    case "unknown":
      return (
        <div className="app">
          <TopBar />
          <Message title="No page has this address.">
            <p>
              <Link href="/runs">All runs</Link>
            </p>
          </Message>
        </div>
      );
  }
}
