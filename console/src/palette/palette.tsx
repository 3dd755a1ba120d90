/** The palette: one field that finds runs, and what can be done here. */

import { useQuery } from "@tanstack/react-query";
import {
  type KeyboardEvent,
  type ReactNode,
  useDeferredValue,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
} from "react";
import { useActsOff } from "../acts/off.ts";
import { ask } from "../api/ask.ts";
import { choose, type EntryGroup } from "../model/palette.ts";
import type { RunRow } from "../model/run.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Glyph } from "../ui/glyph.tsx";
import { StepGlyph } from "../ui/step-status.tsx";
import { Foreign } from "../ui/text.tsx";
import { type Doing, entriesOf, entriesOfRuns } from "./entries.ts";
import { useHere } from "./here.ts";

const FOUND_MAX = 8;
const QUIET_MS = 160;

/** Shows the palette. What is chosen is done after it has closed, so that the focus goes where that leads. */
export function Palette({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [wanted, setWanted] = useState("");
  const [at, setAt] = useState(0);
  const list = useId();
  const groups = useGroups(wanted);
  const all = groups.found.flatMap((group) => group.entries);
  const current = all[Math.min(at, all.length - 1)];
  const take = (entry: Doing | undefined) => {
    // What is off says why in its line, and the palette stays for something else.
    if (entry === undefined || entry.off) return;
    onClose();
    queueMicrotask(entry.onChoose);
  };
  const press = (event: KeyboardEvent) => {
    const last = all.length - 1;
    if (event.key === "ArrowDown") setAt(at >= last ? 0 : at + 1);
    else if (event.key === "ArrowUp") setAt(at <= 0 ? last : at - 1);
    else if (event.key === "PageDown") setAt(Math.min(last, at + 8));
    else if (event.key === "PageUp") setAt(Math.max(0, at - 8));
    else if (event.key === "Enter" && !event.nativeEvent.isComposing) take(current);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={<span className="hidden">Find</span>} onClose={onClose} kind="palette">
      <input
        className="palette-field"
        role="combobox"
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={current === undefined ? undefined : `${list} ${current.id}`}
        aria-label="Find a run, a step, an act or a page"
        placeholder="Find a run, a step, an act or a page"
        value={wanted}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => {
          setWanted(event.target.value);
          setAt(0);
        }}
        onKeyDown={press}
      />
      <div className="palette-list" id={list} role="listbox" aria-label="Found">
        {groups.found.map((group) => (
          <Group key={group.name} {...{ group, list, current }} onTake={take} />
        ))}
      </div>
      <p className="palette-foot" aria-live="polite">
        {groups.said ?? `${all.length} found · ↑ ↓ choose · Enter opens`}
      </p>
    </Dialog>
  );
}

function Group(props: {
  readonly group: EntryGroup<Doing>;
  readonly list: string;
  readonly current: Doing | undefined;
  readonly onTake: (entry: Doing) => void;
}): ReactNode {
  const { group, list, current, onTake } = props;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group of options is no fieldset
    <div role="group" aria-label={group.name}>
      <div className="palette-group" aria-hidden="true">
        {group.name}
        {group.more > 0 && <span>{`${group.more} more`}</span>}
      </div>
      {group.entries.map((entry) => (
        <Option
          key={entry.id}
          entry={entry}
          id={`${list} ${entry.id}`}
          isCurrent={entry === current}
          onTake={onTake}
        />
      ))}
    </div>
  );
}

function Option(props: {
  readonly entry: Doing;
  readonly id: string;
  readonly isCurrent: boolean;
  readonly onTake: (entry: Doing) => void;
}): ReactNode {
  const { entry, id, isCurrent, onTake } = props;
  const node = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (isCurrent) node.current?.scrollIntoView({ block: "nearest" });
  }, [isCurrent]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the field has the focus and the keys
    <div
      ref={node}
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={isCurrent}
      aria-disabled={entry.off ? true : undefined}
      className="palette-option"
      onClick={() => onTake(entry)}
      onMouseDown={(event) => event.preventDefault()}
    >
      {entry.status !== undefined && <Glyph status={entry.status} />}
      {entry.step !== undefined && <StepGlyph status={entry.step} />}
      <Foreign>{entry.text}</Foreign>
      <span className="palette-hint">
        <Foreign>{entry.off ?? entry.hint}</Foreign>
      </span>
      {entry.keys !== undefined && <kbd>{entry.keys}</kbd>}
    </div>
  );
}

interface Groups {
  readonly found: readonly EntryGroup<Doing>[];
  /** What is to be told in place of a count. */
  readonly said: string | null;
}

function useGroups(wanted: string): Groups {
  const run = useHere();
  const settled = useDeferredValue(wanted);
  const whyOff = useActsOff();
  const own = useMemo(() => entriesOf(run, whyOff), [run, whyOff]);
  const local = useMemo(() => choose(settled, own), [settled, own]);
  const { rows, error } = useRuns(wanted.trim());
  return useMemo(() => {
    // The server knows what of a run fits; here its runs are only shown.
    const entries = entriesOfRuns(rows).slice(0, FOUND_MAX);
    const runs = entries.length === 0 ? [] : [{ name: "Runs", entries, more: 0 }];
    // An id or key is what nothing else is called, so runs are first where nothing else fits well.
    const found = [...local, ...runs];
    const said = error !== null ? `Runs could not be searched: ${error.message}.` : null;
    return { found, said: found.length === 0 ? (said ?? "Nothing fits.") : said };
  }, [local, rows, error]);
}

/** Asks for runs once typing has been quiet for a moment. */
function useRuns(wanted: string): {
  readonly rows: readonly RunRow[];
  readonly error: Error | null;
} {
  const [quiet, setQuiet] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setQuiet(wanted), QUIET_MS);
    return () => clearTimeout(timer);
  }, [wanted]);
  const { data, error } = useQuery({
    queryKey: ["palette", quiet],
    queryFn: ({ signal }) => runsLike(quiet, signal),
    enabled: quiet !== "" && quiet === wanted,
    placeholderData: (before) => before,
    retry: false,
  });
  return { rows: wanted === "" ? [] : (data ?? []), error };
}

async function runsLike(wanted: string, signal: AbortSignal): Promise<readonly RunRow[]> {
  const query = new URLSearchParams({ q: wanted, limit: `${FOUND_MAX}` });
  const answer = await ask(`/runs?${query}`, signal);
  const runs = (answer as { readonly runs?: unknown } | null)?.runs;
  // The server is trusted for what stands in a row.
  return Array.isArray(runs) ? (runs as readonly RunRow[]) : [];
}
