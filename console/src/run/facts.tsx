/** The facts of a run on one line: a click copies one, with Alt it filters the list of runs by it. */

import { type MouseEvent, type ReactNode, useEffect, useState } from "react";
import { instant } from "../model/instants.ts";
import { hasEnded, nameOf, type Run } from "../model/run.ts";
import { runnerOf } from "../model/sentence.ts";
import { count, duration, fullMoment, moment, visible } from "../model/words.ts";
import { go, runHref, withQuery } from "../route.ts";
import { Elapsed } from "../ui/elapsed.tsx";
import { Menu, type MenuItem } from "../ui/menu.tsx";
import { At, Foreign } from "../ui/text.tsx";

/** Shows the facts. */
export function Facts({ run }: { readonly run: Run }): ReactNode {
  const ended = hasEnded(run);
  const runner = runnerOf(run);
  const build = run.activations.at(-1)?.build;
  const started = instant(run.startedAt ?? run.createdAt);
  const version =
    run.version === null ? null : build ? `${run.version}, build ${build}` : run.version;
  return (
    <div className="facts">
      <Fact name="Started" copied={new Date(started).toISOString()} hint={fullMoment(started)}>
        <At ms={started}>{moment(started, Date.now())}</At>
      </Fact>
      <Fact name={ended ? "Took" : "Open for"} copied={tookText(run)}>
        {ended ? duration(run.durationMs ?? 0) : <Elapsed from={started} />}
      </Fact>
      <TextFact name="Steps" value={count(run.steps.length)} />
      <TextFact name="Version" value={version} />
      <TextFact name={runner?.now ? "Runner" : "Last runner"} value={runner?.name ?? null} />
      <TextFact name="App" value={run.app} filter={{ app: run.app }} />
      <TextFact name="Key" value={run.key} filter={{ q: run.key ?? "" }} />
      <Children run={run} />
      {Object.entries(run.search ?? {}).map(([name, value]) => (
        <TextFact
          key={`search ${name}`}
          name={name}
          value={String(value)}
          filter={{ [`attr.${name}`]: String(value) }}
        />
      ))}
    </div>
  );
}

function tookText(run: Run): string {
  return run.durationMs === null ? "" : `${Math.round(run.durationMs)} ms`;
}

type Filter = Readonly<Record<string, string>>;

/** Shows a fact that is a text; nothing where there is none. */
export function TextFact(props: {
  readonly name: string;
  readonly value: string | null;
  readonly filter?: Filter;
}): ReactNode {
  const { name, value, filter } = props;
  if (value === null) return null;
  return (
    <Fact name={name} copied={value} {...(filter && { filter })}>
      <Foreign>{value}</Foreign>
    </Fact>
  );
}

const COPIED_MS = 1200;

/** Shows a fact: a click copies it. */
export function Fact(props: {
  readonly name: string;
  /** What a click copies. */
  readonly copied: string;
  /** What the list of runs is filtered by. */
  readonly filter?: Filter;
  readonly hint?: string;
  readonly children: ReactNode;
}): ReactNode {
  const { name, copied, filter, hint, children } = props;
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [done]);
  const press = (event: MouseEvent) => {
    if (event.altKey && filter !== undefined) {
      go(`/runs${withQuery("", filter)}`);
      return;
    }
    navigator.clipboard.writeText(copied).then(
      () => setDone(true),
      () => setDone(false),
    );
  };
  const does =
    filter === undefined ? "Click copies" : "Click copies, Alt-click filters the list of runs";
  return (
    <button
      type="button"
      className="fact"
      title={hint === undefined ? does : `${hint}. ${does}`}
      onClick={press}
    >
      <span className="fact-name">
        <Foreign>{name}</Foreign>
      </span>{" "}
      <span className={done ? "fact-value done" : "fact-value"}>{children}</span>
      {done && <span className="fact-done">Copied</span>}
    </button>
  );
}

/** More children are found in the views, where they can be filtered. */
const CHILDREN_MAX = 100;

function Children({ run }: { readonly run: Run }): ReactNode {
  const items: MenuItem[] = [];
  let total = 0;
  for (const step of run.steps) {
    if (step.child === undefined) continue;
    total += 1;
    if (total > CHILDREN_MAX) continue;
    const { child } = step;
    items.push({
      name: visible(`${nameOf(step.id)}: ${child.workflow} …${child.run.slice(-6)}`),
      onChoose: () => go(runHref(child.run)),
    });
  }
  if (total === 0) return null;
  return (
    <Menu label={`Children ${count(total)}`} className="fact" items={items}>
      <span className="fact-name">Children</span> <span className="fact-value">{count(total)}</span>
    </Menu>
  );
}
