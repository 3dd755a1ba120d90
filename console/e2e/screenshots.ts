/**
 * Takes a picture of each place of the console, in light and dark, on the desk and on the phone, of the workshop's
 * day: `npm run screenshots -- [folder] [--only run-graph]`. `index.html` beside them shows them all. The folder may
 * hold other files: only pictures of an earlier time are removed from it.
 */

import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Browser, chromium } from "playwright-core";
import { chromiumPath, OPTIONS } from "./harness/browser.ts";
import { playJobs } from "./harness/jobs.ts";
import { playKeys } from "./harness/keys.ts";
import { type Place, places } from "./harness/places.ts";
import { Site } from "./harness/site.ts";
import { Tab, type TabOptions } from "./harness/tab.ts";
import { ledger, play } from "./workshop/story.ts";

const { values, positionals } = parseArgs({
  options: { only: { type: "string" } },
  allowPositionals: true,
});
// npm runs scripts in the folder of the package, and says where it was called.
const [folder] = positionals;
const out =
  folder === undefined
    ? fileURLToPath(new URL("../../target/screenshots/", import.meta.url))
    : resolve(process.env.INIT_CWD ?? "", folder);

const THEMES = ["light", "dark"] as const;

interface Size extends TabOptions {
  readonly name: string;
}

const DESK: Size = { name: "desk", width: 1440, height: 900 };
const PHONE: Size = { name: "phone", width: 390, height: 844, touch: true };
const TABLET: Size = { name: "tablet", width: 1024, height: 768 };

/** How the files of this program are named. */
const PICTURE = /^[a-z0-9-]+\.(desk|phone|tablet)\.(light|dark)\.png$/;

/** What is taken at 1024 too. */
const MAIN = [
  ...["runs", "run-list", "run-graph", "run-timeline", "act-fork", "events"],
  ...["flows", "flow", "observed-graph"],
];

const site = await Site.start();
const browser = await chromium.launch({ executablePath: chromiumPath(), ...OPTIONS });
try {
  const taken = await takeAll(browser);
  writeFileSync(join(out, "index.html"), contactSheet(taken));
  say(`${taken.length} pictures in ${out}`);
  if (taken.length === 0) process.exitCode = 1;
} finally {
  await browser.close();
  await site.end();
}

async function takeAll(browser: Browser): Promise<readonly string[]> {
  mkdirSync(out, { recursive: true });
  for (const name of readdirSync(out)) if (PICTURE.test(name)) rmSync(join(out, name));
  const taken: string[] = [];
  const wanted = (name: string) => values.only === undefined || name.startsWith(values.only);
  const take = async (place: Place, size: Size) => {
    const { name } = place;
    if (!wanted(name) || (size === TABLET && !MAIN.includes(name))) return;
    const files = THEMES.map((theme) => `${name}.${size.name}.${theme}.png`);
    await picture(browser, place, size, files);
    taken.push(...files);
  };
  // The first pages of a server on which nothing has happened.
  const empty: readonly Place[] = [
    { name: "empty-runs", path: () => "/runs" },
    { name: "empty-events", path: () => "/events" },
    { name: "empty-runners", path: () => "/runners" },
    { name: "empty-flows", path: () => "/flows" },
  ];
  for (const place of empty) for (const size of [DESK, PHONE]) await take(place, size);
  await playKeys(site.server.url);
  const runs = new Map([...(await play(site.stage))].map(([name, { id }]) => [name, id]));
  await playJobs(site.server.url);
  const long = wanted("run-10000") ? (await ledger(site.stage, 9_998)).id : "";
  const all = places((scene) => runs.get(scene) ?? "");
  const last: Place = { name: "run-10000", path: () => `/runs/${long}/list?step=book+line+5000` };
  const event = (await site.stage.stepwell.events("order.shipped")).events[0]?.id ?? "";
  const one: Place = { name: "event", path: () => `/events/${event}` };
  for (const size of [DESK, PHONE, TABLET]) {
    for (const place of [...all.pages, ...all.dialogs, one, last]) await take(place, size);
  }
  // The last: nothing answers from here on.
  for (const size of [DESK, PHONE]) {
    const away: Place = {
      name: "away",
      path: () => `/runs/${runs.get("waiting")}/list`,
      open: async (tab) => {
        await site.server.kill();
        await tab.says("Reconnecting");
        await site.server.begin();
      },
    };
    await take(away, size);
  }
  return taken.sort();
}

/** Takes a place in each theme; one that cannot be reached is told, and the others are taken all the same. */
async function picture(
  browser: Browser,
  { name, path, open }: Place,
  size: Size,
  files: readonly string[],
): Promise<void> {
  const stored = { by: "Hanna Okafor" };
  const tab = await Tab.open(browser, site.url, { ...size, stored, reducedMotion: true });
  try {
    await tab.go(path());
    await open?.(tab);
    await settled(tab);
  } catch (error) {
    say(`${name}: ${String(error).split("\n")[0]}`);
  }
  for (const [at, colorScheme] of THEMES.entries()) {
    await tab.page.emulateMedia({ colorScheme });
    await tab.page.screenshot({ path: join(out, files[at] ?? "") });
  }
  await tab.end();
}

/** Waits until nothing is asked for and what is laid out beside the page stands. */
async function settled({ page }: Tab): Promise<void> {
  await page.waitForFunction(() => document.querySelector("main [aria-busy=true]") === null);
  await page.evaluate(async () => {
    // A layout that a worker makes comes some frames later, and so does what it draws.
    const quiet = 400;
    let last = performance.now();
    const watch = new MutationObserver(() => {
      last = performance.now();
    });
    watch.observe(document.body, { subtree: true, childList: true });
    const end = last + 3000;
    while (performance.now() - last < quiet && performance.now() < end) {
      await new Promise(requestAnimationFrame);
    }
    watch.disconnect();
  });
}

function contactSheet(files: readonly string[]): string {
  const figures = files.map(
    (file) =>
      `<figure><a href="${file}"><img src="${file}" loading="lazy"></a><figcaption>${file}</figcaption></figure>`,
  );
  return `<!doctype html><meta charset="utf-8"><title>Pictures of the console</title>
<style>body{font:13px system-ui;display:flex;flex-wrap:wrap;gap:16px;margin:16px;background:#888}
figure{margin:0;width:360px}img{width:100%;border:1px solid #555}</style>
${figures.join("\n")}
`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
