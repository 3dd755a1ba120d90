/** Starts the console. */

import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/run.css";
import "./styles/header.css";
import "./styles/acts.css";
import "./styles/forms.css";
import "./styles/palette.css";
import "./styles/list.css";
import "./styles/spans.css";
import "./styles/contents.css";
import "./styles/members.css";
import "./styles/inspector.css";
import "./styles/timeline.css";
import "./styles/runs.css";
import "./styles/filters.css";
import "./styles/grid-table.css";
import "./styles/runs-table.css";
import "./styles/states.css";
import "./styles/events.css";
import "./styles/rows-table.css";
import "./styles/runners.css";
import "./styles/access.css";
import "./styles/access-page.css";
import "./styles/bulk.css";
import "./styles/flows.css";
import "./styles/held.css";
import "./styles/log.css";
import "./styles/reference.css";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";

const root = document.getElementById("console");
if (root === null) throw new Error("the page has no element `console`");
createRoot(root).render(<App />);
