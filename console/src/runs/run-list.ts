/**
 * The list of runs as the page has it: pages by cursor, and what changed since.
 *
 * Rows change in place. What would move them waits: new runs are counted, and rows that no longer match stay
 * until somebody asks for what is new. The server is asked at most twice a second, only for what is seen.
 */

import { AskError, asAskError, ask } from "../api/ask.ts";
import type { Change } from "../live/stream.ts";
import { type Glance, readGlances } from "../model/glance.ts";
import type { ObservedRow } from "../model/observed.ts";
import { rowOfObserved } from "../model/observed-row.ts";
import { hasEnded, type RunRow } from "../model/run.ts";

const FIRST_PAGE = 100;
const PAGE = 500;
const REFRESH_MS = 500;
const GLANCES_MAX = 100;
/** So many rows that no longer match are asked for one by one. */
const STRAYS_MAX = 5;
/** After so many pages without a match somebody must ask to search on. */
const EMPTY_PAGES_MAX = 10;

export type More = "ready" | "asking" | "failed" | "none";

export interface ListState {
  readonly rows: readonly RunRow[];
  readonly glances: ReadonlyMap<string, Glance>;
  /** Rows that match no more. */
  readonly gone: ReadonlySet<string>;
  /** How many new runs wait to be shown. */
  readonly fresh: number;
  /** More new runs wait than were counted. */
  readonly freshOrMore: boolean;
  /** What there is below the last row; `asking` with no rows is the first question. */
  readonly more: More;
  /** The instant back to which the server has searched, where that is not to the end. */
  readonly searchedTo: string | null;
  /** Why the last page did not come. */
  readonly error: AskError | null;
}

/** Open observed rows are asked for so often: they become stuck, or end, without a word. */
const OBSERVED_MS = 5000;

interface Page {
  readonly runs: readonly RunRow[];
  readonly next: string | null;
  readonly searchedTo?: string | null;
  /** It misses writes that were durable when it was asked for. */
  readonly stale?: boolean;
}

/** The rows that are seen, and whether new ones may come in by themselves. */
export interface Look {
  readonly first: number;
  readonly last: number;
  readonly calm: boolean;
}

const EMPTY: ListState = {
  rows: [],
  glances: new Map(),
  gone: new Set(),
  fresh: 0,
  freshOrMore: false,
  more: "asking",
  searchedTo: null,
  error: null,
};

/** Newest first. Instants are all of one form, and sort as texts; ids decide where they are equal. */
function byAge(a: RunRow, b: RunRow): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? 1 : -1;
  return a.id === b.id ? 0 : a.id < b.id ? 1 : -1;
}

/** Lists the runs that fit parameters of the API. */
export class RunList {
  #state: ListState = EMPTY;
  readonly #told = new Set<() => void>();
  #next: string | null = null;
  #look: Look = { first: 0, last: 30, calm: false };
  readonly #fresh = new Map<string, RunRow>();
  #asking = new AbortController();
  #emptyPages = 0;
  /** Every row and every new run that waits, by id. */
  readonly #known = new Set<string>();
  /** What changed since it was last asked for. */
  #headDirty = false;
  readonly #dirtyRows = new Set<string>();
  readonly #dirtyGlances = new Set<string>();
  /** Runs changed that were not named: each open one may have, but those that were read since. */
  #othersChanged = false;
  readonly #readRows = new Set<string>();
  readonly #readGlances = new Set<string>();
  /** Answers to questions from before the list was read anew do not count. */
  #generation = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #refreshing = false;
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #hasGlances = true;
  #hasIds = true;
  /** Lists with observed runs go on by cursors of their own: what follows the last row of a page, by its id. */
  readonly #isMixed: boolean;
  readonly #cursors = new Map<string, string>();
  #poll: ReturnType<typeof setInterval> | undefined;

  /** @param query parameters of `GET /runs` without limit and cursor. */
  constructor(readonly query: string) {
    this.#isMixed = new URLSearchParams(query).has("kind");
  }

  readonly state = (): ListState => this.#state;

  /** Tells of each change. It is asked for while somebody listens. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#told.add(listener);
    if (this.#told.size === 1) this.#begin();
    return () => {
      this.#told.delete(listener);
      if (this.#told.size > 0) return;
      clearTimeout(this.#timer);
      clearInterval(this.#poll);
      this.#timer = undefined;
      this.#asking.abort();
    };
  };

  #begin(): void {
    this.#asking = new AbortController();
    if (this.#isMixed) {
      this.#poll = setInterval(() => {
        const isOpen = (row: RunRow) => row.observed !== undefined && !hasEnded(row);
        if (document.visibilityState === "visible") this.#markObserved(isOpen);
      }, OBSERVED_MS);
    }
    if (this.#state.rows.length === 0) {
      this.reload();
      return;
    }
    if (this.#state.more === "asking") this.#set({ more: "ready" });
    this.#headDirty = true;
    this.#plan();
  }

  /** Asks for the first page again, in the place of all rows. */
  readonly reload = (): void => {
    this.#generation += 1;
    this.#next = null;
    this.#fresh.clear();
    this.#emptyPages = 0;
    this.#set({ ...EMPTY, rows: this.#state.rows, glances: this.#state.glances });
    void this.#page("first");
  };

  /** Asks for the page below the last row. */
  readonly more = (): void => {
    if (this.#state.more !== "ready" && this.#state.more !== "failed") return;
    this.#emptyPages = 0;
    this.#set({ more: "asking", error: null });
    void this.#page("next");
  };

  /** Says which rows are seen. */
  readonly look = (look: Look): void => {
    const before = this.#look;
    this.#look = look;
    if (look.calm && !before.calm && this.#fresh.size > 0) this.showFresh();
    if (look.first !== before.first || look.last !== before.last) this.#plan();
  };

  /** Hears of changes on the server. */
  readonly onChange = (change: Change): void => {
    for (const id of change.runs.keys()) {
      if (this.#known.has(id)) {
        this.#dirtyRows.add(id);
        this.#dirtyGlances.add(id);
      } else this.#headDirty = true;
    }
    if (change.others) {
      this.#headDirty = true;
      this.#othersChanged = true;
      this.#readRows.clear();
      this.#readGlances.clear();
    }
    if (change.flows && this.#isMixed) {
      this.#headDirty = true;
      // Any of them may have changed: one that has ended is open again once something is told of it.
      this.#markObserved((row) => row.observed !== undefined);
    }
    this.#plan();
  };

  #markObserved(wanted: (row: RunRow) => boolean): void {
    for (const row of this.#seen()) if (wanted(row)) this.#dirtyRows.add(row.id);
    this.#plan();
  }

  /** Shows the runs that waited, and drops the rows that match no more. */
  readonly showFresh = (): void => {
    if (this.#state.freshOrMore) {
      this.reload();
      return;
    }
    const { gone, rows } = this.#state;
    const merged = [...this.#fresh.values(), ...rows.filter((row) => !gone.has(row.id))];
    this.#fresh.clear();
    for (const id of gone) this.#known.delete(id);
    this.#set({ rows: merged.sort(byAge), gone: new Set(), fresh: 0 });
    this.#plan();
  };

  #seen(): readonly RunRow[] {
    return this.#state.rows.slice(this.#look.first, this.#look.last + 1);
  }

  async #ask(parameters: Readonly<Record<string, string>>): Promise<Page> {
    const query = new URLSearchParams(this.query);
    for (const [name, value] of Object.entries(parameters)) query.set(name, value);
    return readPage(await ask(`/runs?${query}`, this.#asking.signal));
  }

  async #page(which: "first" | "next"): Promise<void> {
    const { signal } = this.#asking;
    const generation = this.#generation;
    try {
      const cursor = which === "next" && this.#next !== null ? { cursor: this.#next } : {};
      const limit = String(which === "first" ? FIRST_PAGE : PAGE);
      const page = await this.#ask({ limit, ...cursor });
      if (signal.aborted || generation !== this.#generation) return;
      this.#onPage(page, which === "first" ? [] : this.#state.rows);
    } catch (error) {
      if (signal.aborted || generation !== this.#generation) return;
      this.#set({ more: "failed", error: asAskError(error) });
    }
  }

  #onPage(page: Page, above: readonly RunRow[]): void {
    if (above.length === 0) {
      this.#known.clear();
      this.#cursors.clear();
    }
    const rows = [...above, ...page.runs.filter((row) => !this.#known.has(row.id))];
    for (const row of page.runs) this.#known.add(row.id);
    this.#next = page.next;
    this.#keepCursor(page);
    this.#emptyPages = page.runs.length === 0 ? this.#emptyPages + 1 : 0;
    const searchOn =
      page.next !== null && page.runs.length === 0 && this.#emptyPages < EMPTY_PAGES_MAX;
    const more = page.next === null ? "none" : searchOn ? "asking" : "ready";
    const searchedTo = page.next === null ? null : (page.searchedTo ?? null);
    this.#set({ rows, more, searchedTo, error: null });
    this.#plan();
    if (searchOn) void this.#page("next");
  }

  /** What follows the last row of a page is found again by its cursor. */
  #keepCursor({ runs, next }: Page): void {
    const last = runs.at(-1);
    if (this.#isMixed && last !== undefined && next !== null) this.#cursors.set(last.id, next);
  }

  /** The nearest row above one from which the list can be read, and its cursor; none is the begin of the list. */
  #cursorAbove(first: number): {
    readonly above: RunRow | undefined;
    readonly cursor: string | null;
  } {
    const { rows } = this.#state;
    for (let at = first - 1; at >= 0; at -= 1) {
      const above = rows[at];
      const cursor = this.#isMixed ? this.#cursors.get(above?.id ?? "") : above?.id;
      if (above !== undefined && cursor !== undefined) return { above, cursor };
    }
    return { above: undefined, cursor: null };
  }

  /** Asks for what changed and is seen, when it may. */
  #plan(): void {
    if (this.#timer !== undefined || this.#refreshing || this.#told.size === 0) return;
    if (!this.#headDirty && !this.#seenDirty() && this.#glanceless().length === 0) return;
    const wait = Math.max(0, this.#refreshedAt + REFRESH_MS - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#refresh();
    }, wait);
  }

  #seenDirty(): boolean {
    return this.#seen().some(
      (row) => this.#dirtyRows.has(row.id) || this.#mayHaveChanged(row, this.#readRows),
    );
  }

  #mayHaveChanged(row: RunRow, read: ReadonlySet<string>): boolean {
    return this.#othersChanged && !hasEnded(row) && !read.has(row.id);
  }

  #glanceless(): readonly string[] {
    if (!this.#hasGlances) return [];
    const { glances } = this.#state;
    const isDirty = (row: RunRow) =>
      row.observed === undefined &&
      (!glances.has(row.id) ||
        this.#dirtyGlances.has(row.id) ||
        this.#mayHaveChanged(row, this.#readGlances));
    return this.#seen()
      .filter(isDirty)
      .slice(0, GLANCES_MAX)
      .map((row) => row.id);
  }

  async #refresh(): Promise<void> {
    this.#refreshing = true;
    this.#refreshedAt = performance.now();
    const { signal } = this.#asking;
    try {
      const glances = this.#glanceless();
      await Promise.all([this.#refreshRows(), glances.length > 0 && this.#glance(glances)]);
    } catch {
      // The bar at the top tells of a server that is away; what is shown was true.
    }
    this.#refreshing = false;
    if (!signal.aborted) this.#plan();
  }

  async #refreshRows(): Promise<void> {
    if (this.#state.rows.length === 0 && this.#state.more === "asking") return;
    const { first, last } = this.#look;
    const [headDirty, seenDirty] = [this.#headDirty, this.#seenDirty()];
    const headSuffices = last < FIRST_PAGE;
    this.#headDirty = false;
    const questions: Promise<void>[] = [];
    if (headDirty || (seenDirty && headSuffices)) questions.push(this.#window(0, FIRST_PAGE));
    if (seenDirty && !headSuffices) questions.push(this.#window(first, last - first + 1));
    await Promise.all(questions);
  }

  /** Asks for the rows from one on, as they are now. */
  async #window(first: number, limit: number): Promise<void> {
    const { rows } = this.#state;
    const { above, cursor } = this.#cursorAbove(first);
    const from = above === undefined ? 0 : rows.indexOf(above) + 1;
    const wanted = Math.min(PAGE, first + limit - from);
    for (const row of rows.slice(first, first + limit)) {
      this.#dirtyRows.delete(row.id);
      this.#readRows.add(row.id);
    }
    const generation = this.#generation;
    const page = await this.#ask({
      limit: String(wanted),
      ...(cursor !== null && { cursor }),
    });
    if (generation !== this.#generation) return;
    this.#keepCursor(page);
    if (page.stale === true) this.#askAgain(first);
    await this.#reconcile(page, above);
  }

  /** What a stale page misses is asked for once more, half a second later. */
  #askAgain(first: number): void {
    if (first === 0) this.#headDirty = true;
    for (const row of this.#seen()) if (!hasEnded(row)) this.#dirtyRows.add(row.id);
  }

  async #reconcile(page: Page, above: RunRow | undefined): Promise<void> {
    const now = new Map(page.runs.map((row) => [row.id, row]));
    const { rows, gone, freshOrMore } = this.#state;
    const strays = straysOf(rows, above, page);
    const unknown = page.runs.filter((row) => !this.#known.has(row.id));
    for (const row of unknown) {
      this.#known.add(row.id);
      this.#fresh.set(row.id, row);
    }
    const nextGone = new Set([...gone].filter((id) => !now.has(id)));
    for (const row of strays) nextGone.add(row.id);
    this.#set({
      rows: rows.map((row) => now.get(row.id) ?? row),
      gone: nextGone,
      fresh: this.#fresh.size,
      // Nothing known in a full page of the newest: there are more new ones than it holds.
      freshOrMore: freshOrMore || (unknown.length >= FIRST_PAGE && rows.length > 0),
    });
    // Nothing can move where there is nothing.
    const calm = this.#look.calm || rows.length === 0;
    if (calm && (this.#fresh.size > 0 || nextGone.size > 0)) this.showFresh();
    else await this.#readStrays(strays);
  }

  /** Asks how those are now that left the list but are still shown. */
  async #readStrays(strays: readonly RunRow[]): Promise<void> {
    if (!this.#hasIds) return;
    const seen = new Set(this.#seen().map((row) => row.id));
    const wanted = strays
      .filter((row) => seen.has(row.id) && row.observed === undefined)
      .slice(0, STRAYS_MAX);
    const read = await Promise.all(wanted.map((row) => this.#byId(row.id)));
    const found = new Map(read.flatMap((row) => (row === null ? [] : [[row.id, row] as const])));
    if (found.size === 0) return;
    this.#set({ rows: this.#state.rows.map((row) => found.get(row.id) ?? row) });
  }

  async #byId(id: string): Promise<RunRow | null> {
    try {
      const page = (await ask(`/runs?id=${id}`, this.#asking.signal)) as Page;
      return page.runs.find((row) => row.id === id) ?? null;
    } catch (error) {
      if (isUnasked(error)) this.#hasIds = false;
      return null;
    }
  }

  async #glance(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      this.#dirtyGlances.delete(id);
      this.#readGlances.add(id);
    }
    try {
      const answer = await ask(`/runs/glance?ids=${ids.join(",")}`, this.#asking.signal);
      const glances = new Map(this.#state.glances);
      for (const glance of readGlances(answer)) glances.set(glance.id, glance);
      // A run that is gone has no glance, and is not asked for again.
      for (const id of ids) if (!glances.has(id)) glances.set(id, { ...NOTHING, id });
      this.#set({ glances });
    } catch (error) {
      // A server without glances refuses the address; rows then tell what they know.
      if (isUnasked(error)) this.#hasGlances = false;
      else throw error;
    }
  }

  #set(change: Partial<ListState>): void {
    this.#state = { ...this.#state, ...change };
    for (const tell of this.#told) tell();
  }
}

/** Reads a page. Its rows are the server's word; those of observed runs become rows of the list. */
function readPage(answer: unknown): Page {
  const page = answer as Omit<Page, "runs"> & { readonly runs: readonly (RunRow | ObservedRow)[] };
  return { ...page, runs: page.runs.map((row) => (isObserved(row) ? rowOfObserved(row) : row)) };
}

function isObserved(row: RunRow | ObservedRow): row is ObservedRow {
  return "kind" in row && row.kind === "observed";
}

/** Finds the rows that a page should hold and does not: they match no more. */
function straysOf(
  rows: readonly RunRow[],
  above: RunRow | undefined,
  page: Page,
): readonly RunRow[] {
  const lowest = page.runs.at(-1);
  // A page that the server cut before it found a row tells nothing of what is below.
  if (page.next !== null && lowest === undefined) return [];
  const now = new Set(page.runs.map((row) => row.id));
  const strays: RunRow[] = [];
  const begin = above === undefined ? 0 : rows.indexOf(above) + 1;
  for (let at = begin; at < rows.length; at += 1) {
    const row = rows[at];
    if (row === undefined) break;
    if (page.next !== null && lowest !== undefined && byAge(row, lowest) > 0) break;
    if (!now.has(row.id)) strays.push(row);
  }
  return strays;
}

const NOTHING: Omit<Glance, "id"> = {
  journalBytes: 0,
  doing: null,
  strip: "",
  output: null,
  error: null,
};

/** Says whether the server does not know what it was asked. */
function isUnasked(error: unknown): boolean {
  return error instanceof AskError && (error.status === 404 || error.status === 400);
}
