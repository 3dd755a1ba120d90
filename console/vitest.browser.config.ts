import { defineConfig } from "vitest/config";

/** The browser tests: one after the other, on one server and one Chromium, without second tries. */
export default defineConfig({
  test: {
    include: ["e2e/tests/**/*.test.ts"],
    globalSetup: ["e2e/harness/global.ts"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    retry: 0,
  },
});
