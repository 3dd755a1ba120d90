/** A server that takes telemetry, for the tests: keeps what it is told. */

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createTelemetryClient, type TelemetryClient } from "stepwell/telemetry";

/** An event as it is sent. */
export interface Event {
  readonly flow: string;
  readonly run: string;
  readonly step: string;
  readonly status: string;
  readonly call?: string;
  readonly error?: { readonly name: string; readonly message: string };
}

/** Takes telemetry on a free port of this machine. */
export class Collector {
  readonly events: Event[] = [];
  readonly telemetry: TelemetryClient;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}`;
    this.telemetry = createTelemetryClient({ url, projectKey: "sw_example" });
  }

  static async start(): Promise<Collector> {
    const server = createServer(async (request, response) => {
      let text = "";
      for await (const chunk of request) text += chunk;
      const { events } = JSON.parse(text) as { events: Event[] };
      collector.events.push(...events);
      response.end(JSON.stringify({ accepted: events.length, refused: [], refusedTotal: 0 }));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const collector = new Collector(server);
    return collector;
  }

  /** Returns what was told of a run so far: `step status`, in order. */
  async told(run: string): Promise<string[]> {
    await this.telemetry.flush("60s");
    const events = this.events.filter((event) => event.run === run);
    return events.map(({ step, status }) => `${step} ${status}`);
  }

  async stop(): Promise<void> {
    await this.telemetry.close("60s");
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
