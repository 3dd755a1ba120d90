/** The header of a run: what it is, why it does not move with the act that would move it, and the facts. */

import { type ReactNode, useRef } from "react";
import { Acts } from "../acts/acts.tsx";
import type { Run } from "../model/run.ts";
import { capital, statusWord } from "../model/words.ts";
import { useTellHere } from "../palette/here.ts";
import { Copy } from "../ui/copy.tsx";
import { Glyph, hueOf } from "../ui/glyph.tsx";
import { Link } from "../ui/link.tsx";
import { RunLink } from "../ui/run-link.tsx";
import { Foreign } from "../ui/text.tsx";
import { Facts } from "./facts.tsx";
import { RunActs } from "./run-acts.tsx";
import { Sentence } from "./sentence.tsx";
import { useShrunk } from "./use-shrunk.ts";

/** Shows the header. It is one line while the view below it is scrolled. */
export function Header({ run }: { readonly run: Run }): ReactNode {
  const header = useRef<HTMLElement>(null);
  const shrunk = useShrunk(header);
  useTellHere(run);
  return (
    <header ref={header} className={shrunk ? "run-header shrunk" : "run-header"}>
      <div className="title-row">
        <nav className="crumbs" aria-label="Where this run belongs">
          <Link href="/runs">Runs</Link>
          <span aria-hidden="true">/</span>
          <Origin run={run} />
        </nav>
        <h1>
          <Foreign>{run.workflow}</Foreign>
        </h1>
        <span className="run-id mono" title={run.id}>
          {run.id}
        </span>
        <Copy text={() => run.id} what="the run's id (Y)" />
        <span className={`status hue-${hueOf(run.status)}`}>
          <Glyph status={run.status} size={18} label="word" />
          {capital(statusWord(run.status))}
        </span>
        <RunActs run={run} />
      </div>
      <Sentence run={run} />
      <Facts run={run} />
      <Acts run={run} />
    </header>
  );
}

/** Where the run comes from and what it went on as, as links before the title. */
function Origin({ run }: { readonly run: Run }): ReactNode {
  const links: readonly (readonly [string, string | null | undefined])[] = [
    ["child of", run.parent?.run],
    ["forked from", run.forkedFrom?.run],
    ["rerun of", run.rerunOf],
    ["continues", run.continuedFrom],
    ["continued as", run.continuedAs],
  ];
  return links.map(([words, id]) =>
    id ? (
      <span key={words} className="origin">
        {words} <RunLink id={id} /> <span aria-hidden="true">/</span>
      </span>
    ) : null,
  );
}
