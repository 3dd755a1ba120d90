import type { ViteUserConfig } from "vitest/config";

/** Tests that take minutes of real time: `npm run test:slow`. */
const config: ViteUserConfig = {
  test: {
    include: ["test/slow/**/*.test.ts"],
    globalSetup: ["test/build.ts"],
  },
};

export default config;
