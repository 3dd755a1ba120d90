/** What the parts of the page of access have in common. */

import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useMe, useWhyNot } from "../api/session.ts";
import type { Deed } from "../model/rights.ts";
import { clock, ZONE } from "../model/words.ts";
import { ACCESS_PARTS, type AccessPart, accessHref } from "../route.ts";
import { Link } from "../ui/link.tsx";
import { ACCESS } from "./queries.ts";

const NAMES: Readonly<Record<AccessPart, string>> = {
  keys: "Keys",
  namespaces: "Namespaces",
  audit: "Audit log",
};

interface PartFrameProps {
  readonly part: AccessPart;
  /** What one needs to be allowed to for it. */
  readonly deed: Deed;
  /** Controls at the right of the parts' names. */
  readonly controls?: ReactNode;
  /** How much there is, when it was read, and what reads it again. */
  readonly count: string;
  readonly readAt: number;
  readonly children: ReactNode;
}

/** Shows what all parts have, around what this one shows; where it may not be seen, why not. */
export function PartFrame(props: PartFrameProps): ReactNode {
  const why = useWhyNot()(props.deed);
  const isOpen = useMe()?.access === "loopback";
  return (
    <main className="page access">
      <div className="page-title">
        <h1>Access</h1>
        <nav className="parts" aria-label="Parts of access">
          {ACCESS_PARTS.map((one) => (
            <Link
              key={one}
              href={accessHref(one)}
              current={one === props.part ? "page" : undefined}
            >
              {NAMES[one]}
            </Link>
          ))}
        </nav>
        {props.controls}
      </div>
      {isOpen && <NoKeysAsked />}
      {why !== null && <p className="act-note">{why}</p>}
      <div className="page-body">{why === null && props.children}</div>
      <footer className="page-foot">
        {why === null && props.readAt > 0 && <Freshness {...props} />}
        <span className="zone">Times in {ZONE}</span>
      </footer>
    </main>
  );
}

/** Servers of one's own machine say plainly that keys protect nothing there. */
function NoKeysAsked(): ReactNode {
  return (
    <p className="act-note">
      <strong>This server asks for no key.</strong> It takes requests of its own machine only, and
      whoever sends one may do everything. Keys that are made here are asked for when the server is
      started on the same data with <code>--access keys</code>.
    </p>
  );
}

function Freshness({ count, readAt }: PartFrameProps): ReactNode {
  const client = useQueryClient();
  return (
    <span>
      {count}, read at {clock(readAt)}{" "}
      <button
        type="button"
        className="link"
        onClick={() => void client.invalidateQueries({ queryKey: [ACCESS] })}
      >
        Read again
      </button>
    </span>
  );
}
