/** Ways to take along what a tab of the inspector shows. */

import type { ReactNode } from "react";
import { Copy } from "../ui/copy.tsx";
import { Download } from "../ui/download.tsx";
import type { Tab } from "./tabs.tsx";

interface FootActsProps {
  /** What files are named after. */
  readonly name: string;
  readonly tab: Tab | null;
  /** Everything as JSON, for where there is no tab. */
  readonly raw: () => string;
  /** A command that asks for the same. */
  readonly curl: () => string;
  readonly children?: ReactNode;
}

/** Tabs whose text is not JSON. */
const TEXTS: ReadonlySet<string> = new Set(["error", "logs"]);

/** Shows them; other commands stand behind. */
export function FootActs({ name, tab, raw, curl, children }: FootActsProps): ReactNode {
  const text = () => tab?.text() ?? raw();
  const ending = tab !== null && TEXTS.has(tab.id) ? "txt" : "json";
  return (
    <div className="foot-acts">
      <Copy what={tab === null ? "as JSON" : `what ${tab.name} shows`} text={text}>
        Copy
      </Copy>
      <Download file={`${name}-${tab?.id ?? "raw"}.${ending}`} text={text} />
      <Copy what="as curl" text={curl}>
        as curl
      </Copy>
      {children}
    </div>
  );
}
