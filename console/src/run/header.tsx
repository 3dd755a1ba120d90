/** The header of a run: what it is, why it does not move, and the facts. */

import type { ReactNode } from "react";
import { instant } from "../model/instants.ts";
import { hasEnded, type Run } from "../model/run.ts";
import { childrenOf, type Part, runnerOf, sentenceOf } from "../model/sentence.ts";
import { capital, count, duration, elapsed, moment, statusWord } from "../model/words.ts";
import { runHref } from "../route.ts";
import { Copy } from "../ui/copy.tsx";
import { Glyph, hueOf } from "../ui/glyph.tsx";
import { Link } from "../ui/link.tsx";
import { useNow } from "../ui/now.ts";
import { At, Foreign, Name, Pieces } from "../ui/text.tsx";

/** Shows the header. */
export function Header({ run }: { readonly run: Run }): ReactNode {
  return (
    <header className="run-header">
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
        <Copy text={() => run.id} what="the run's id" />
        <span className={`status hue-${hueOf(run.status)}`}>
          <Glyph status={run.status} size={18} label="word" />
          {capital(statusWord(run.status))}
        </span>
      </div>
      <Sentence run={run} />
      <Facts run={run} />
    </header>
  );
}

/** Where the run comes from, as links before the title. */
function Origin({ run }: { readonly run: Run }): ReactNode {
  const links: readonly (readonly [string, string | null | undefined])[] = [
    ["child of", run.parent?.run],
    ["forked from", run.forkedFrom?.run],
    ["rerun of", run.rerunOf],
    ["continues", run.continuedFrom],
  ];
  return links.map(([words, id]) =>
    id ? (
      <span key={words} className="origin">
        {words} <RunLink id={id} /> <span aria-hidden="true">/</span>
      </span>
    ) : null,
  );
}

/** Links to a run by the end of its id, which tells runs apart. */
export function RunLink({ id }: { readonly id: string }): ReactNode {
  return (
    <Link href={runHref(id)} className="mono" title={id}>
      …{id.slice(-6)}
    </Link>
  );
}

function Sentence({ run }: { readonly run: Run }): ReactNode {
  const parts = sentenceOf(run);
  return (
    <div className={`sentence hue-${hueOf(run.status)}`}>
      <Glyph status={run.status} label="word" />
      <p aria-live="polite">
        {parts.map((part, at) => (
          // Parts have no names of their own, and never move.
          <SentencePart key={`${at} ${part.type}`} part={part} />
        ))}
      </p>
    </div>
  );
}

function SentencePart({ part }: { readonly part: Part }): ReactNode {
  switch (part.type) {
    case "lead":
      return <strong>{part.text}</strong>;
    case "words":
      return <Foreign>{part.text}</Foreign>;
    case "name":
      return <Name>{part.text}</Name>;
    case "run":
      return <RunLink id={part.id} />;
    case "value":
      return <Pieces pieces={part.pieces} />;
    case "instant":
      return <Instant ms={part.at} />;
  }
}

/** An instant with how far away it is. */
function Instant({ ms }: { readonly ms: number }): ReactNode {
  const now = useNow(1000);
  const far = ms > now ? `, in ${elapsed(ms - now + 999)}` : "";
  return <At ms={ms}>{`${moment(ms, now)}${far}`}</At>;
}

function Facts({ run }: { readonly run: Run }): ReactNode {
  const ended = hasEnded(run);
  const runner = runnerOf(run);
  const build = run.activations.at(-1)?.build;
  const children = childrenOf(run);
  const started = instant(run.startedAt ?? run.createdAt);
  return (
    <dl className="facts">
      <Fact name="Started">
        <At ms={started}>{moment(started, Date.now())}</At>
      </Fact>
      <Fact name={ended ? "Took" : "Open for"}>
        {ended ? duration(run.durationMs ?? 0) : <Ticking from={started} />}
      </Fact>
      <Fact name="Steps">{count(run.steps.length)}</Fact>
      {run.version !== null && (
        <Fact name="Version">
          <Foreign>{build ? `${run.version}, build ${build}` : run.version}</Foreign>
        </Fact>
      )}
      {runner !== null && (
        <Fact name={runner.now ? "Runner" : "Last runner"}>
          <Foreign>{runner.name}</Foreign>
        </Fact>
      )}
      <Fact name="App">
        <Foreign>{run.app}</Foreign>
      </Fact>
      {run.key !== null && (
        <Fact name="Key">
          <Foreign>{run.key}</Foreign>
        </Fact>
      )}
      {children > 0 && <Fact name="Children">{count(children)}</Fact>}
      {Object.entries(run.search ?? {}).map(([name, value]) => (
        <Fact key={`search ${name}`} name={name}>
          <Foreign>{String(value)}</Foreign>
        </Fact>
      ))}
    </dl>
  );
}

function Fact({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <div>
      <dt>
        <Foreign>{name}</Foreign>
      </dt>
      <dd>{children}</dd>
    </div>
  );
}

/** An elapsed time that ticks. */
export function Ticking({ from }: { readonly from: number }): ReactNode {
  const fine = Date.now() - from < 10_000;
  const now = useNow(fine ? 100 : 1000);
  return <span className="ticks">{elapsed(now - from)}</span>;
}
