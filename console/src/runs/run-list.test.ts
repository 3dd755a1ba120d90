// @vitest-environment happy-dom

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Change } from "../live/stream.ts";
import type { RunRow } from "../model/run.ts";
import { iso, rowOf } from "../model/testing.ts";
import { observedRow } from "../model/testing-observed.ts";
import { RunList } from "./run-list.ts";

/** A server that holds rows, newest first, and what it was asked. */
class Server {
  rows: readonly RunRow[] = [];
  readonly asked: string[] = [];
  /** Lists lag behind. */
  stale = false;
  /** Addresses that begin like this are not known. */
  unknown: string | null = null;

  readonly fetch = (input: string): Promise<Response> => {
    const url = new URL(input, "http://stepwell.test");
    const path = url.pathname.replace("/api/v1", "");
    this.asked.push(path + url.search);
    if (this.unknown !== null && path.startsWith(this.unknown)) return this.#refuse(404);
    return path === "/runs" ? this.#list(url.searchParams) : this.#glance(url.searchParams);
  };

  #list(params: URLSearchParams): Promise<Response> {
    const id = params.get("id");
    if (id !== null) return json({ runs: this.rows.filter((row) => row.id === id), next: null });
    const cursor = params.get("cursor");
    const status = params.get("status");
    const begin = cursor === null ? 0 : this.rows.findIndex((row) => row.id === cursor) + 1;
    const fits = this.rows.slice(begin).filter((row) => status === null || row.status === status);
    const limit = Number(params.get("limit"));
    const runs = fits.slice(0, limit);
    const next = fits.length > limit ? runs.at(-1)?.id : null;
    return json({ runs, next, stale: this.stale });
  }

  #glance(params: URLSearchParams): Promise<Response> {
    const ids = (params.get("ids") ?? "").split(",");
    const runs = ids.map((id) => ({ id, journalBytes: 1, doing: `doing ${id}`, strip: "c" }));
    return json({ runs });
  }

  #refuse(status: number): Promise<Response> {
    return Promise.resolve(new Response("{}", { status }));
  }
}

function json(body: unknown): Promise<Response> {
  return Promise.resolve(new Response(JSON.stringify(body)));
}

/** The run that was started as the nth. */
const run = (n: number, more: Partial<RunRow> = {}): RunRow =>
  rowOf({ id: `run_${String(n).padStart(6, "0")}`, createdAt: iso(n * 1000), ...more });
const runs = (from: number, to: number): RunRow[] =>
  Array.from({ length: from - to + 1 }, (_, at) => run(from - at));
const changed = (...ids: readonly string[]): Change => ({
  runs: new Map(ids.map((id) => [id, 2])),
  others: false,
  events: false,
  runners: false,
  flows: false,
});
const idsOf = (list: RunList) => list.state().rows.map((row) => row.id);

let server: Server;
const settle = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  server = new Server();
  vi.stubGlobal("fetch", server.fetch);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function shown(query = ""): Promise<RunList> {
  const list = new RunList(query);
  list.subscribe(() => undefined);
  list.look({ first: 0, last: 9, calm: false });
  await settle(2000);
  server.asked.length = 0;
  return list;
}

test("pages follow each other by cursor, up to the end", async () => {
  server.rows = runs(700, 1);
  const list = await shown();
  expect([idsOf(list).length, list.state().more]).toEqual([100, "ready"]);
  list.more();
  await settle(10);
  list.more();
  await settle(10);
  expect([idsOf(list).length, list.state().more]).toEqual([700, "none"]);
  expect(idsOf(list)).toEqual(server.rows.map((row) => row.id));
});

test("a row that changed is read in its place, with what it is doing", async () => {
  server.rows = runs(20, 1);
  const list = await shown();
  server.rows = server.rows.map((row) =>
    row.id === run(15).id ? run(15, { status: "waiting" }) : row,
  );
  list.onChange(changed(run(15).id));
  await settle(500);
  expect(list.state().rows[5]?.status).toBe("waiting");
  expect(server.asked).toContain(`/runs/glance?ids=${run(15).id}`);
});

test("many changes ask twice a second at most, whatever changed", async () => {
  server.rows = runs(20, 1);
  const list = await shown();
  for (let at = 0; at < 40; at += 1) {
    list.onChange(changed(run(15).id));
    await settle(50);
  }
  const lists = server.asked.filter((path) => path.startsWith("/runs?"));
  expect(lists.length).toBeGreaterThan(2);
  expect(lists.length).toBeLessThanOrEqual(5);
});

test("a change of a row that is not seen waits until it is", async () => {
  server.rows = runs(90, 1);
  const list = await shown();
  list.onChange(changed(run(1).id));
  await settle(2000);
  expect(server.asked).toEqual([]);
  list.look({ first: 80, last: 89, calm: false });
  await settle(1000);
  expect(server.asked.some((path) => path.startsWith("/runs?limit"))).toBe(true);
});

test("new runs wait behind a count until they are asked for", async () => {
  server.rows = runs(20, 1);
  const list = await shown();
  server.rows = runs(22, 1);
  list.onChange(changed(run(21).id, run(22).id));
  await settle(1000);
  expect([idsOf(list)[0], list.state().fresh]).toEqual([run(20).id, 2]);
  list.showFresh();
  expect([idsOf(list)[0], list.state().fresh]).toEqual([run(22).id, 0]);
});

test("new runs come in by themselves where nobody points at the rows", async () => {
  server.rows = runs(20, 1);
  const list = await shown();
  list.look({ first: 0, last: 9, calm: true });
  server.rows = runs(21, 1);
  list.onChange(changed(run(21).id));
  await settle(1000);
  expect([idsOf(list)[0], list.state().fresh]).toEqual([run(21).id, 0]);
});

test("more new runs than a page holds are more than are counted, and read anew", async () => {
  server.rows = runs(20, 1);
  const list = await shown();
  server.rows = runs(200, 1);
  list.onChange({ ...changed(), others: true });
  await settle(1000);
  expect([list.state().fresh, list.state().freshOrMore]).toEqual([100, true]);
  list.showFresh();
  await settle(1000);
  expect(idsOf(list)).toEqual(server.rows.slice(0, 100).map((row) => row.id));
});

test("a row that matches no more stays as it is now, marked, until new ones are asked for", async () => {
  server.rows = runs(20, 1);
  const list = await shown("status=running");
  const failed = run(15, { status: "failed" });
  server.rows = server.rows.map((row) => (row.id === failed.id ? failed : row));
  list.onChange(changed(failed.id));
  await settle(1000);
  expect([...list.state().gone]).toEqual([failed.id]);
  expect(list.state().rows[5]?.status).toBe("failed");
  list.showFresh();
  expect(idsOf(list)).not.toContain(failed.id);
});

test("a server without glances is asked for none after the first refusal", async () => {
  server.rows = runs(20, 1);
  server.unknown = "/runs/glance";
  const list = await shown();
  list.onChange(changed(run(15).id));
  await settle(3000);
  expect(server.asked.filter((path) => path.startsWith("/runs/glance"))).toEqual([]);
  expect(list.state().glances.size).toBe(0);
});

test("a list that cannot be read says why, and can be read again", async () => {
  server.unknown = "/runs";
  const list = await shown();
  expect([list.state().more, list.state().error?.status]).toEqual(["failed", 404]);
  server.unknown = null;
  server.rows = runs(3, 1);
  list.more();
  await settle(10);
  expect([idsOf(list).length, list.state().error]).toEqual([3, null]);
});

test("the first run of an empty list appears by itself", async () => {
  const list = await shown();
  expect(list.state().more).toBe("none");
  server.rows = runs(1, 1);
  list.onChange(changed(run(1).id));
  await settle(1000);
  expect(idsOf(list)).toEqual([run(1).id]);
});

test("a list that lags behind is asked for again until it does not", async () => {
  server.rows = runs(20, 1);
  const list = await shown();
  server.stale = true;
  list.onChange(changed(run(21).id));
  await settle(1100);
  expect(list.state().fresh).toBe(0);
  server.stale = false;
  server.rows = runs(21, 1);
  await settle(600);
  expect(list.state().fresh).toBe(1);
  server.asked.length = 0;
  await settle(3000);
  expect(server.asked).toEqual([]);
});

/** A server of both kinds of runs, whose pages go on by cursors that say nothing of rows. */
function mixedServer(all: () => readonly object[]): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (input: string) => {
    const url = new URL(input, "http://stepwell.test");
    asked.push(url.pathname.replace("/api/v1", "") + url.search);
    if (url.pathname.endsWith("/glance")) return json({ runs: [] });
    const begin = Number((url.searchParams.get("cursor") ?? "at 0").slice(3));
    const end = begin + Number(url.searchParams.get("limit"));
    const page = all().slice(begin, end);
    return json({ runs: page, next: end < all().length ? `at ${end}` : null });
  });
  return asked;
}

test("a list of both kinds goes on by the cursors of its pages, and reads again what is seen", async () => {
  const told = (status: "running" | "stuck") =>
    Array.from({ length: 700 }, (_, at) =>
      at % 2 === 0
        ? { ...run(700 - at), kind: "durable" }
        : observedRow({
            run: `req_${at}`,
            status,
            startedAt: iso((700 - at) * 1000),
            endedAt: null,
            durationMs: null,
          }),
    );
  let rows = told("running");
  const asked = mixedServer(() => rows);
  const list = new RunList("kind=all");
  const stop = list.subscribe(() => undefined);
  list.look({ first: 0, last: 9, calm: false });
  await settle(2000);
  list.more();
  await settle(10);
  expect(list.state().rows).toHaveLength(600);
  expect(list.state().rows[101]?.observed?.run).toBe("req_101");
  list.look({ first: 300, last: 320, calm: false });
  await settle(2000);
  asked.length = 0;
  rows = told("stuck");
  // Nobody tells of what becomes stuck: the list asks by itself.
  await settle(6000);
  expect(asked.some((path) => path.includes("cursor=at+100"))).toBe(true);
  expect(list.state().rows[301]?.status).toBe("stuck");
  expect(list.state().gone.size).toBe(0);
  stop();
});

test("a list of durable runs does not ask by itself", async () => {
  server.rows = runs(20, 1);
  await shown();
  await settle(20_000);
  expect(server.asked).toEqual([]);
});
