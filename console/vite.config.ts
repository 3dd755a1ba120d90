import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where the API is while the console is developed. */
const server = process.env.STEPWELL_URL ?? "http://127.0.0.1:7878";
// The server refuses foreign hosts and origins, so the proxy asks as if it were the server's own page.
const proxy = {
  "/api": {
    target: server,
    changeOrigin: true,
    headers: { origin: server },
  },
};

export default defineConfig({
  plugins: [react()],
  server: { proxy },
  preview: { proxy },
  build: {
    target: "es2022",
    // Nothing may be inlined: the policy of the page allows no `data:` but images.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  worker: { format: "es" },
  test: {
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing.ts"],
    testTimeout: 60_000,
  },
});
