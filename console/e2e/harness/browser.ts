/** The system's Chromium. */

import { existsSync } from "node:fs";
import { type BrowserServer, chromium } from "playwright-core";

/** Where Chromium is: `CHROMIUM`, or where distributions put it. */
export function chromiumPath(): string {
  const known = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser"];
  const found = known.find((path) => path !== undefined && existsSync(path));
  if (found === undefined) throw new Error("no Chromium: set CHROMIUM to its path");
  return found;
}

/** How it is started. */
export const OPTIONS = {
  args: [
    // Chromium has no sandbox for root.
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    "--disable-dev-shm-usage",
    "--enable-precise-memory-info",
    "--js-flags=--expose-gc",
    "--font-render-hinting=none",
  ],
};

/** Starts Chromium; test files connect to it by its `wsEndpoint`. */
export async function launchChromium(): Promise<BrowserServer> {
  return await chromium.launchServer({ executablePath: chromiumPath(), ...OPTIONS });
}
