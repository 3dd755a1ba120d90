/** A runner that speaks the protocol without the SDK. */

import { once } from "node:events";
import { WebSocket } from "ws";

/** What the node says, as far as this runner reads it. */
interface ToRunner {
  readonly welcome?: object;
  readonly activate?: { readonly a: number; readonly workflow: string; readonly input?: unknown };
  readonly end?: { readonly a: number };
  readonly refused?: { readonly code: string; readonly message: string };
}

/** How a run of {@link rawRunner} ends; nothing leaves it running. */
export type RawEnd = { readonly output?: unknown } | { readonly error: object } | undefined;

/** Connects a runner that ends runs as `end` says; resolves once the server has taken it. */
export async function rawRunner(
  url: string,
  workflows: readonly object[],
  end: (workflow: string, input: unknown) => RawEnd,
): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/api/v1/worker`, "stepwell.v1");
  const say = (message: object): void => socket.send(JSON.stringify([message]));
  await once(socket, "open");
  const hello = {
    protocol: 1,
    sdk: "test/1",
    app: "shop",
    runner: "raw",
    instance: `i${Math.random()}`,
  };
  say({ hello: { ...hello, slots: 10, creditBytes: 1_000_000, workflows } });
  return await new Promise((resolve, reject) => {
    socket.on("message", (frame) => {
      for (const message of JSON.parse(String(frame)) as ToRunner[]) {
        if (message.welcome !== undefined) resolve(socket);
        if (message.refused !== undefined) reject(new Error(message.refused.message));
        if (message.end !== undefined) say({ finished: { a: message.end.a } });
        if (message.activate === undefined) continue;
        const { a, workflow, input } = message.activate;
        const ended = end(workflow, input);
        if (ended !== undefined) say({ finished: { a, ...ended } });
      }
    });
  });
}
