import type { ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = {
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"],
    maxWorkers: 2,
    globalSetup: ["test/build.ts"],
  },
};

export default config;
