import { defineConfig } from "vitest/config";

/** The browser tests: one after the other, on one server and one Chromium, without second tries. */
export default defineConfig({
  test: {
    include: ["e2e/tests/**/*.test.ts"],
    globalSetup: ["e2e/harness/global.ts"],
    fileParallelism: false,
    // What a test waits for comes soon, or late on a machine that is busy: a wait that fails says so by itself.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 30_000 } },
    retry: 0,
  },
});
