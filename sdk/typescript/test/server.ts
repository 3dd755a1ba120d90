/** A real server for the tests of this package, and a runner that speaks the protocol without it. */

import { hasServer, serverBinary, TestServer } from "../src/test/index.js";

export { type RawEnd, rawRunner } from "./raw-runner.js";

/** The server's binary; tests that need one are skipped without. */
export const BINARY: string | undefined = hasServer() ? serverBinary() : undefined;

/** A server that runs. */
export type Server = TestServer;

/** Starts servers; `settings` are further flags. */
export const Server: { start(settings?: readonly string[]): Promise<TestServer> } = {
  start: async (settings = []) => await TestServer.start({ args: settings }),
};
