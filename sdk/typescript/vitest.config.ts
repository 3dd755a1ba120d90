import type { ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = {
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    // Those take minutes: `npm run test:slow`.
    exclude: ["test/slow/**", "**/node_modules/**"],
    maxWorkers: 2,
    // Nothing here is about how fast it is: a busy machine may take its time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globalSetup: ["test/build.ts"],
  },
};

export default config;
