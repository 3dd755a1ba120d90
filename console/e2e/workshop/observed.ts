/**
 * What the shop tells of code that is not durable: an import that somebody declared, a report that nobody did. All of it
 * is events as any client sends them, at fixed distances before now, so that each run stands where its name says.
 */

/** One event as `POST /api/v1/telemetry` takes it. */
export interface Told {
  readonly flow: string;
  readonly run: string;
  readonly step: string;
  readonly status: "running" | "success" | "error" | "skipped";
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly call?: string;
  readonly process?: string;
  readonly metadata?: object;
  readonly runMetadata?: object;
  readonly error?: { readonly name: string; readonly message: string; readonly stack?: string };
}

const MINUTE = 60_000;
/** The server takes no more in one request. */
const BATCH = 5000;

/** The flow that is declared, and the names of its runs. */
export const IMPORT = "import-orders";
export const REPORT = "nightly-report";
export const RUNS = {
  completed: "2026-11-22T06:00",
  failed: "2026-11-22T07:00",
  retried: "2026-11-22T08:00",
  stuck: "2026-11-22T09:00",
  running: "2026-11-22T10:00",
} as const;

const DECLARED = {
  name: "Import orders",
  steps: ["fetch", "parse", "dedupe", "write", "audit", "publish", "notify"].map((key) => ({
    key,
  })),
  edges: [
    ["fetch", "parse"],
    ["parse", "dedupe"],
    ["dedupe", "write"],
    ["dedupe", "audit"],
    ["write", "publish"],
    ["publish", "notify"],
  ],
};

const TIMEOUT = {
  name: "TimeoutError",
  message: "no answer from the warehouse within 30 s",
  stack: [
    "TimeoutError: no answer from the warehouse within 30 s",
    "    at writeBatch (src/import/write.ts:54:11)",
    "    at importOrders (src/import/main.ts:29:9)",
    "    at Pool.query (node_modules/pg/lib/pool.js:41:3)",
  ].join("\n"),
};

/** A run on its way: what is told of it, one call after another. */
class Diary {
  readonly told: Told[] = [];
  #calls = 0;

  constructor(
    readonly flow: string,
    readonly run: string,
    /** When it began. */
    readonly begin: number,
    readonly metadata: object = {},
  ) {}

  /** A call from one offset to another; `null` leaves it open, an error is thrown at its end. */
  call(step: string, from: number, to: number | null, more: Partial<Told> = {}): this {
    this.#calls += 1;
    const { error, metadata, ...rest } = more;
    const shared = { process: "import-7f2", ...rest, call: `${this.run}:${this.#calls}` };
    this.#tell(step, "running", from, { ...shared, ...(metadata && { metadata }) });
    if (to === null) return this;
    const end = error === undefined ? "success" : "error";
    this.#tell(step, end, to, { ...shared, ...(error && { error }) });
    return this;
  }

  skip(step: string, at: number): this {
    this.#tell(step, "skipped", at, {});
    return this;
  }

  #tell(step: string, status: Told["status"], offset: number, more: Partial<Told>): void {
    const { flow, run, begin } = this;
    this.told.push({
      flow,
      run,
      step,
      status,
      at: begin + offset,
      runMetadata: this.metadata,
      ...more,
    });
  }
}

/** All of it, as it stands at an instant. `durable` is a durable run whose code tells of itself too. */
export function diaryOf(now: number, durable: string | null = null): readonly Told[] {
  const at = (minutes: number) => now - minutes * MINUTE;
  const diaries = [
    whole(new Diary(IMPORT, RUNS.completed, at(240), { region: "eu" })),
    broken(
      new Diary(IMPORT, RUNS.failed, at(180), { region: "eu", apiKey: "sk_live_4eC39HqLyjWD" }),
    ),
    retried(new Diary(IMPORT, RUNS.retried, at(120), { region: "us" })),
    new Diary(IMPORT, RUNS.stuck, at(15), { region: "eu" })
      .call("fetch", 0, 1900)
      .call("parse", 1900, 40_000)
      .call("dedupe", 40_000, 40_400)
      .call("write", 60_000, null),
    new Diary(IMPORT, RUNS.running, now - 4000).call("fetch", 0, 900).call("parse", 1000, null),
    ...[30, 54, 78].map((minutes, n) => report(new Diary(REPORT, `night-${n + 1}`, at(minutes)))),
    ...(durable === null ? [] : [mail(new Diary("order-mail", durable, now - 90_000))]),
  ];
  return diaries.flatMap((diary) => diary.told);
}

/** Every declared step. */
function whole(diary: Diary): Diary {
  return diary
    .call("fetch", 0, 2100, { metadata: { rows: 21_400 } })
    .call("parse", 2100, 43_400)
    .call("dedupe", 43_400, 43_800)
    .call("write", 43_800, 45_100, { metadata: { rows: 5000, batch: 1 } })
    .skip("audit", 43_900)
    .call("publish", 45_200, 45_600)
    .call("notify", 45_600, 45_900);
}

/** A step was forgotten, another nobody declared, and the last one that was called threw. */
function broken(diary: Diary): Diary {
  diary.call("fetch", 0, 2100, { metadata: { rows: 21_400 } });
  for (let n = 0; n < 214; n += 1) {
    const from = 2100 + n * 190;
    diary.call("parse", from, from + 60 + ((n * 7919) % 900), {
      process: n % 2 === 0 ? "import-7f2" : "import-c40",
      ...(n === 77 && { error: { name: "SyntaxError", message: "line 9 is no CSV" } }),
    });
  }
  for (let n = 0; n < 12; n += 1) diary.call("map-legacy-sku", 3000 + n * 900, 3150 + n * 900);
  return diary
    .skip("audit", 44_000)
    .call("write", 44_870, 46_140, { process: "import-c40", metadata: { rows: 5000, batch: 1 } })
    .call("write", 62_004, 63_314, { metadata: { rows: 5000, batch: 2 } })
    .call("write", 131_218, 161_220, { metadata: { rows: 5000, batch: 3 }, error: TIMEOUT });
}

/** The third call of a step returned. */
function retried(diary: Diary): Diary {
  return diary
    .call("fetch", 0, 700, { error: { name: "HttpError", message: "502 Bad Gateway" } })
    .call("fetch", 1200, 1800, { error: { name: "HttpError", message: "502 Bad Gateway" } })
    .call("fetch", 3800, 4300)
    .call("parse", 4300, 9000)
    .call("dedupe", 9000, 9100)
    .call("write", 9100, 9900)
    .skip("audit", 9100)
    .call("publish", 9900, 10_100)
    .call("notify", 10_100, 10_300);
}

function report(diary: Diary): Diary {
  return diary.call("collect", 0, 800).call("render", 900, 4200).call("mail", 4300, 4700);
}

/** What code beside a durable run did for it. */
function mail(diary: Diary): Diary {
  return diary.call("render-mail", 0, 300).call("send-mail", 320, 900);
}

/**
 * A run of one step with so many calls, of which only the ends are told: of a run 10,000 events are kept. Each hundredth
 * threw.
 */
export function manyCalls(run: string, calls: number, now: number): readonly Told[] {
  const begin = now - calls * 40 - 10 * MINUTE;
  return Array.from({ length: calls }, (_, n): Told => {
    const shared = {
      flow: "bulk-import",
      run,
      step: "row",
      call: `${run}:${n}`,
      at: begin + n * 40,
    };
    if (n % 100 === 99) return { ...shared, status: "error", error: TIMEOUT };
    return { ...shared, status: "success", metadata: { row: n } };
  });
}

async function ask(url: string, method: string, body: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method, headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
  const { refused } = JSON.parse(text) as { readonly refused?: readonly unknown[] };
  if (refused !== undefined && refused.length > 0) throw new Error(`refused: ${text}`);
}

/** Sends events; each gets an id that is the same whenever it is sent. */
export async function tell(server: string, told: readonly Told[]): Promise<void> {
  const events = told.map((event, n) => ({ id: `${idOf(event)}.${n}`, ...event }));
  for (let at = 0; at < events.length; at += BATCH) {
    await ask(`${server}/api/v1/telemetry`, "POST", { events: events.slice(at, at + BATCH) });
  }
}

function idOf({ flow, run, at }: Told): string {
  return `${flow}-${run}-${at}`.replaceAll(/[^A-Za-z0-9_.:-]/g, "_").slice(-48);
}

/** Declares the flow and tells the day. */
export async function observe(server: string, durable: string | null = null): Promise<void> {
  await ask(`${server}/api/v1/flows/${IMPORT}`, "PUT", DECLARED);
  await tell(server, diaryOf(Date.now(), durable));
}
