import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { rejectionOf, thrownBy } from "../../test/support.js";
import { appMaker } from "../app.js";
import {
  ArgumentError,
  ConnectionError,
  InputError,
  RefusedError,
  RunFailedError,
  RunNotEndedError,
} from "../errors.js";
import { event } from "../event.js";
import { workflow } from "../workflow.js";
import { client } from "./client.js";

/** What a server answers, or how the connection breaks. */
type Step = { status: number; body: unknown; headers?: Record<string, string> } | Error;

/** A server in place of the network: answers in turn, and the requests that it got. */
function server(...answers: Step[]): { requests: Request[]; fetch: typeof fetch } {
  const requests: Request[] = [];
  const answer: typeof fetch = async (input, init) => {
    requests.push(new Request(input, init));
    init?.signal?.throwIfAborted();
    const next = answers.shift();
    if (next === undefined) throw new Error("one request too many");
    if (next instanceof Error) throw next;
    const body = typeof next.body === "string" ? next.body : JSON.stringify(next.body);
    return new Response(body, { status: next.status, headers: next.headers ?? {} });
  };
  return { requests, fetch: answer };
}

function broken(code: string): Error {
  return new TypeError("fetch failed", {
    cause: Object.assign(new Error(`connect ${code}`), { code }),
  });
}

const started = { status: 201, body: { id: "run_1", created: true } };
const unavailable = {
  status: 503,
  body: { code: "SW1008", title: "The server cannot take this now" },
  headers: { "retry-after": "0" },
};

describe("requests", () => {
  it("are sent as the API has them", async () => {
    const { requests, fetch } = server(started);
    const stepwell = client({ url: "http://h:1/", app: "shop", fetch });
    const run = await stepwell.start(
      "checkout",
      { at: new Date(0) },
      {
        key: "k",
        delay: "1.5s",
        timeout: "1h",
        search: { country: "DE" },
        metadata: { a: 1 },
        runner: "blue",
      },
    );
    expect(run).toMatchObject({ id: "run_1", created: true });
    expect(requests[0]).toMatchObject({ method: "POST", url: "http://h:1/api/v1/runs" });
    expect(await requests[0]?.json()).toEqual({
      workflow: "checkout",
      app: "shop",
      input: { at: "1970-01-01T00:00:00.000Z" },
      key: "k",
      delay: 1500,
      timeout: 3_600_000,
      search: { country: "DE" },
      metadata: { a: 1 },
      runner: "blue",
    });
  });

  it("ask for runs by what a filter says", async () => {
    const { requests, fetch } = server({
      status: 200,
      body: { runs: [], next: null, stale: false },
    });
    await client({ fetch }).list({
      status: ["failed", "blocked"],
      from: "7d",
      to: new Date(0),
      limit: 5,
      cursor: "run_9",
      search: { country: 'D,"E', amount: { ">=": 10, "<": 20 }, paid: true },
    });
    expect(Object.fromEntries(new URL(requests[0]?.url ?? "").searchParams)).toEqual({
      status: "failed,blocked",
      from: "7d",
      to: "1970-01-01T00:00:00.000Z",
      limit: "5",
      cursor: "run_9",
      search: 'country="D,\\"E",amount>=10,amount<20,paid=true',
    });
  });

  it("turn the pages of a list", async () => {
    const page = (id: string, next: string | null): Step => ({
      status: 200,
      body: { runs: [{ id }], next },
    });
    const { requests, fetch } = server(page("run_2", "run_2"), page("run_1", null));
    const ids: string[] = [];
    for await (const run of client({ fetch }).listAll()) ids.push(run.id);
    expect(ids).toEqual(["run_2", "run_1"]);
    expect(requests.map((request) => new URL(request.url).search)).toEqual([
      "?limit=500",
      "?limit=500&cursor=run_2",
    ]);
  });
});

describe("a request that fails", () => {
  it("is sent again where the server cannot have seen it", async () => {
    const { requests, fetch } = server(broken("ECONNREFUSED"), started);
    await client({ fetch }).start("w");
    expect(requests).toHaveLength(2);
  });

  /** §4.8: with a key a repeat gives the first run, without one it would start a second. */
  it("is sent again after the connection broke only where that changes nothing", async () => {
    const safe = server(broken("ECONNRESET"), started);
    await client({ fetch: safe.fetch }).start("w", undefined, { key: "k" });
    expect(safe.requests).toHaveLength(2);
    const unsafe = server(broken("ECONNRESET"), started);
    const error = await rejectionOf(client({ fetch: unsafe.fetch, url: "http://h:1" }).start("w"));
    expect(unsafe.requests).toHaveLength(1);
    expect(ConnectionError.is(error) && error.message).toBe(
      "POST http://h:1/api/v1/runs: fetch failed: connect ECONNRESET; is a server running there? " +
        "`stepwell dev` starts one",
    );
  });

  /** A server that lost its database does not know whether what was asked was done. */
  it("is sent again where it is in doubt only where that changes nothing", async () => {
    const doubtful = { ...unavailable, body: { code: "SW1015", title: "It is not known" } };
    const safe = server(doubtful, started);
    await client({ fetch: safe.fetch }).start("w", undefined, { key: "k" });
    expect(safe.requests).toHaveLength(2);
    const unsafe = server(doubtful, started);
    const error = await rejectionOf(client({ fetch: unsafe.fetch }).start("w"));
    expect(unsafe.requests).toHaveLength(1);
    expect(RefusedError.is(error) && error.code).toBe("SW1015");
  });

  /** §12: a server that does not read a body to its end breaks off the connection. */
  it("says that it may be too large where the connection breaks", async () => {
    for (const [chars, says] of [
      [2_000_000, /; it was sent 20000\d\d bytes, which may be more than the server takes$/],
      [10, /; is a server running there\?/],
    ] as const) {
      const { fetch } = server(broken("EPIPE"));
      const start = client({ fetch }).start("w", "x".repeat(chars));
      expect(String(await rejectionOf(start))).toMatch(says);
    }
  });

  /** §8.7: an event that is sent again under its id does nothing more. */
  it("is sent again with the same id where it is an event", async () => {
    const sent = { status: 201, body: { id: "e", accepted: true } };
    const { requests, fetch } = server(broken("ECONNRESET"), sent);
    await client({ fetch }).send("paid", { order: 7 });
    const bodies = await Promise.all(requests.map(async (request) => await request.json()));
    expect(bodies[0]).toMatchObject({
      event: "paid",
      data: { order: 7 },
      id: expect.stringMatching(/^evt_[0-9a-f]{32}$/),
    });
    expect(bodies[1]).toEqual(bodies[0]);
  });

  it("is sent again when the server says that it did nothing", async () => {
    const { requests, fetch } = server(unavailable, unavailable, started);
    await client({ fetch }).start("w");
    expect(requests).toHaveLength(3);
  });

  it("is not sent again beyond the time for it", async () => {
    const { requests, fetch } = server(unavailable, started);
    const later = server({ ...unavailable, headers: { "retry-after": "60" } }, started);
    expect(RefusedError.is(await rejectionOf(client({ fetch: later.fetch }).start("w")))).toBe(
      true,
    );
    const off = client({ fetch, retryFor: 0 });
    await rejectionOf(off.run("run_1").status());
    expect([requests.length, later.requests.length]).toEqual([1, 1]);
  });

  it("says the server's code, its page, and the places that do not fit", async () => {
    const errors = [{ path: "/order", message: "no text" }];
    const body = { code: "SW2006", title: "t", detail: "the input does not fit", errors };
    const { fetch } = server({ status: 422, body });
    const error = await rejectionOf(client({ fetch }).start("w"));
    expect(RefusedError.is(error) && error).toMatchObject({
      code: "SW2006",
      status: 422,
      issues: errors,
      docs: "docs/errors/SW2006.md",
      message: "the input does not fit (SW2006)",
    });
  });

  it.each<[string, Step]>([
    ["no JSON", { status: 200, body: "<html>" }],
    ["an error without a code", { status: 502, body: "bad gateway" }],
  ])("says so where the answer is %s", async (_, step) => {
    const error = await rejectionOf(client({ fetch: server(step).fetch }).start("w"));
    expect(ConnectionError.is(error) && error.message).toContain("the answer is not understood: ");
  });

  it("ends with the reason of its signal", async () => {
    const why = new Error("enough");
    const stop = new AbortController();
    const { fetch } = server(broken("ECONNREFUSED"));
    const refusing: typeof globalThis.fetch = async (...args) => {
      queueMicrotask(() => stop.abort(why));
      return await fetch(...args);
    };
    const call = client({ fetch: refusing }).start("w", undefined, { signal: stop.signal });
    expect(await rejectionOf(call)).toBe(why);
  });
});

describe("of several nodes", () => {
  const urls = ["http://a:1", "http://b:2", "http://c:3"];
  const hosts = (requests: readonly Request[]): string[] =>
    requests.map((request) => new URL(request.url).host);

  it("the next is asked at once what one cannot have seen or taken, and stays the one that is asked", async () => {
    const busy = { ...unavailable, headers: { "retry-after": "60" } };
    const { requests, fetch } = server(broken("ECONNREFUSED"), busy, started, started);
    // A text with commas is a list, too. Nothing is waited for.
    const stepwell = client({ url: urls.join(", "), fetch, retryFor: 0 });
    await stepwell.start("w");
    await stepwell.start("w");
    const asked = hosts(requests);
    expect(new Set(asked)).toEqual(new Set(["a:1", "b:2", "c:3"]));
    expect(asked[3]).toBe(asked[2]);
  });

  /** §4.8: with a key a repeat gives the first run, without one it would start a second. */
  it("the next is asked what one may have done only where that changes nothing", async () => {
    const safe = server(broken("ECONNRESET"), started);
    await client({ url: urls, fetch: safe.fetch }).start("w", undefined, { key: "k" });
    expect(new Set(hosts(safe.requests)).size).toBe(2);
    const unsafe = server(broken("ECONNRESET"));
    const error = await rejectionOf(client({ url: urls, fetch: unsafe.fetch }).start("w"));
    expect(ConnectionError.is(error)).toBe(true);
    expect(unsafe.requests).toHaveLength(1);
  });

  it("all are asked before a request fails, and again after a pause", async () => {
    const refused = Array.from({ length: 3 }, () => broken("ECONNREFUSED"));
    const once = server(...refused);
    const error = await rejectionOf(client({ url: urls, fetch: once.fetch, retryFor: 0 }).list());
    expect(ConnectionError.is(error) && once.requests.length).toBe(3);
    const twice = server(...refused, { status: 200, body: { runs: [], next: null } });
    await client({ url: urls, fetch: twice.fetch }).list();
    expect(hosts(twice.requests)[3]).toBe(hosts(twice.requests)[0]);
  });
});

describe("what is not accepted is refused before anything is sent", () => {
  const stepwell = client({ fetch: server().fetch, retryFor: 0 });
  it.each<[string, () => unknown, string]>([
    [
      "a URL",
      () => client({ url: "localhost:7878" }),
      "url is `localhost:7878`; accepted: the address of a server",
    ],
    [
      "one of several URLs",
      () => client({ url: "http://a:1, b:2" }),
      "url, number 2 of 2: url is `b:2`; accepted: the address of a server",
    ],
    ["no URL", () => client({ url: [] }), "url holds no address; accepted: such as http://"],
    ["a URL of a list", () => client({ url: ["http://a:1", ""] }), "url, number 2 of 2: url is ``"],
    [
      "an option",
      () => client({ uri: "x" } as object),
      "client has no option `uri`; it has: url, key, app",
    ],
    ["a duration", () => client({ retryFor: "5M" as "5m" }), "`5M` is not a duration"],
    ["a run's id", () => stepwell.run(""), "a run's id is empty"],
  ])("%s at once", (_, call, text) => {
    const error = thrownBy(call);
    expect(ArgumentError.is(error) && error.message).toContain(text);
  });

  it.each<[string, () => Promise<unknown>, string]>([
    [
      "an option of a start",
      () => stepwell.start("w", 1, { kee: "k" } as object),
      "the start of `w` has no option `kee`",
    ],
    [
      "two times",
      () => stepwell.start("w", 1, { at: new Date(), delay: 5 }),
      "both `at` and `delay`",
    ],
    [
      "an instant",
      () => stepwell.start("w", 1, { at: new Date(Number.NaN) }),
      "accepted: a valid Date",
    ],
    [
      "a key that is half of a character",
      () => stepwell.start("w", 1, { key: "k\ud83d" }),
      'the start of `w`: `key` "k\\ud83d" is not Unicode',
    ],
    [
      "an attribute that is half of a character",
      () => stepwell.start("w", 1, { search: { country: "\udc00" } }),
      'the start of `w`: the search attribute `country` is not Unicode: "\\udc00"',
    ],
    [
      "an attribute that is no value",
      () => stepwell.start("w", 1, { search: { amount: Number.NaN } }),
      "the search attribute `amount` is NaN; accepted: a string, a finite number or a boolean",
    ],
    [
      "an event for a key that is half of a character",
      () => stepwell.send("paid", {}, { key: "\ud83d" }),
      'event `paid`: `key` "\\ud83d" is not Unicode',
    ],
    [
      "a filter that is half of a character",
      () => stepwell.list({ key: "\ud83d" }),
      'runs.list: `key` "\\ud83d" is not Unicode',
    ],
    [
      "a query that is half of a character",
      () => stepwell.list({ query: "\ud83d" }),
      'runs.list: `query` "\\ud83d" is not Unicode',
    ],
    [
      "an attribute to look for that is half of a character",
      () => stepwell.list({ search: { country: { ">=": "\ud83d" } } }),
      "runs.list: the search attribute `country` is not Unicode",
    ],
    ["a name", () => stepwell.start("", 1), "a workflow's name is empty"],
    [
      "an input",
      () => stepwell.start("w", { a: [1n] }),
      "the input of workflow `w` is not JSON: at `$.a[0]` is a BigInt",
    ],
    [
      "data",
      () => stepwell.send("e", Number.NaN),
      "the data of event `e` is not JSON: at `$` is NaN",
    ],
    [
      "an attribute",
      () => stepwell.list({ search: { "a=b": 1 } }),
      "the search attribute `a=b` holds one of",
    ],
    [
      "an act",
      () => stepwell.run("r").cancel({ why: "x" } as object),
      "run.cancel has no option `why`; it has: by, reason",
    ],
    [
      "a resolution",
      () => stepwell.run("r").resolve("s", { outcome: "completed", output: 1n }),
      "the output is not JSON",
    ],
  ])("%s by a rejection", async (_, call, text) => {
    expect(await rejectionOf(call())).toHaveProperty("message", expect.stringContaining(text));
  });

  /** §9.1: inputs are checked by the typed client, as their runner will see them. */
  it("an input that does not fit the workflow's schema", async () => {
    const pay = workflow({ name: "pay", input: z.object({ at: z.date() }) }, () => 1);
    // The runner will see a text: JSON has no dates.
    const error = await rejectionOf(stepwell.start(pay, { at: new Date() }));
    expect(InputError.is(error) && error.message).toContain(
      "the input of workflow `pay` does not fit at `$.at`",
    );
    const shop = appMaker(() => Promise.reject(new Error("not served")))("shop", {
      workflows: [pay],
    });
    const typed = client({ app: shop, fetch: server().fetch });
    expect(InputError.is(await rejectionOf(typed.start("pay", { at: new Date() })))).toBe(true);
  });

  it("data that does not fit the event's schema", async () => {
    const paid = event("paid", z.object({ order: z.number() }));
    const error = await rejectionOf(stepwell.send(paid, { order: "7" as unknown as number }));
    expect(InputError.is(error) && error.message).toContain(
      "the data of event `paid` does not fit at `$.order`",
    );
  });
});

describe("a run's end", () => {
  it("is had from the start's answer where the run is quick", async () => {
    const { requests, fetch } = server({
      status: 201,
      body: { id: "run_1", created: true, status: "completed", output: 7 },
    });
    expect(await client({ fetch }).startAndWait("w")).toBe(7);
    expect(requests).toHaveLength(1);
  });

  it("is waited for with one request after the other", async () => {
    const waiting = {
      status: 202,
      body: { id: "run_1", status: "waiting", output: null, error: null },
    };
    const error = { name: "StepError", message: "no", cause: { name: "Oops", message: "why" } };
    const { requests, fetch } = server(waiting, broken("ECONNRESET"), {
      status: 200,
      body: { id: "run_2", status: "failed", error },
    });
    const thrown = await rejectionOf(client({ fetch }).run("run_1").wait());
    expect(requests[0]?.url).toContain("/api/v1/runs/run_1/result?wait=30000ms");
    expect(RunFailedError.is(thrown) && thrown).toMatchObject({
      message: "run run_2 failed: StepError: no",
      runId: "run_2",
      cause: { name: "StepError", cause: { name: "Oops" } },
    });
  });

  it("and retries go on under the fake timers of a test", async () => {
    vi.useFakeTimers();
    try {
      const waiting = { status: 202, body: { id: "run_1", status: "waiting" } };
      const { fetch } = server(broken("ECONNREFUSED"), ...Array<Step>(100_000).fill(waiting));
      const late = await rejectionOf(client({ fetch }).run("run_1").wait({ timeout: 5 }));
      expect(RunNotEndedError.is(late)).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });
});
