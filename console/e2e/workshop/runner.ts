/** A runner as a process of its own, so that it may be killed: `--url … --apps shop,finance --build 2026.11.1`. */

import { parseArgs } from "node:util";
import { type AppName, apps, type Build, RUNNERS } from "./apps.ts";

// Stacks are seen in pictures: they name places of the shop, and not those of the machine that plays it.
const PLACES: readonly (readonly [string, string])[] = [
  [
    new URL("../../../sdk/typescript/dist/", import.meta.url).pathname,
    "/srv/shop/node_modules/stepwell/dist/",
  ],
  [new URL("./", import.meta.url).pathname, "/srv/shop/src/"],
];
Error.prepareStackTrace = (error, frames) => {
  const lines = [String(error), ...frames.map((frame) => `    at ${frame}`)];
  return PLACES.reduce((text, [from, to]) => text.replaceAll(from, to), lines.join("\n"));
};

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    apps: { type: "string" },
    build: { type: "string", default: "2026.11.1" },
  },
});
if (values.url === undefined) throw new Error("--url is needed");
const build: Build = values.build === "2026.11.2" ? "2026.11.2" : "2026.11.1";
const known = apps(build);
const isApp = (name: string): name is AppName => Object.hasOwn(known, name);
const names = (values.apps ?? Object.keys(known).join(",")).split(",").filter(isApp);
const runners = await Promise.all(
  names.map(
    async (name) =>
      await known[name].serve({
        url: values.url ?? "",
        runner: RUNNERS[name].name,
        slots: RUNNERS[name].slots,
        build,
        log: false,
      }),
  ),
);
// Whoever started it holds the other end: when that process is gone, however it went, so is this one.
process.stdin.on("end", () => process.exit());
process.stdin.resume();
process.stdout.write("serving\n");
await Promise.all(runners.map(({ closed }) => closed));
process.exit();
