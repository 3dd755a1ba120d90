import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { app, type LogLine, RefusedError, workflow } from "stepwell";
import { expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { WELCOME } from "../src/test/node/node.js";
import { rejectionOf } from "./support.js";

/** §4.7: a runner that is sent away later says so: nobody has to await its end. */
it("a runner that is refused after a while says why, whatever its log does", async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const refused = { code: "SW3003", message: "another protocol, from now on" };
  server.on("connection", (socket: WebSocket) => {
    socket.once("message", () => {
      socket.send(JSON.stringify([{ welcome: WELCOME }]));
      socket.send(JSON.stringify([{ refused }]));
    });
  });
  const { port } = server.address() as AddressInfo;
  const lines: LogLine[] = [];
  const shop = app("shop", { workflows: [workflow({ name: "w" }, () => 1)] });
  const runner = await shop.serve({
    url: `http://127.0.0.1:${port}`,
    log: (line) => {
      lines.push(line);
      throw new Error("the log is broken");
    },
  });
  const error = await rejectionOf(runner.closed);
  expect(RefusedError.is(error) && error.code).toBe("SW3003");
  expect(lines).toEqual([
    { level: "error", message: expect.stringContaining(refused.message), from: {} },
  ]);
  server.close();
});
