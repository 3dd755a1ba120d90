/** The shop's backend: takes orders over HTTP, and is told by the carrier what became of parcels. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { NonRetryableError } from "stepwell";
import type { TelemetryClient } from "stepwell/telemetry";
import { type Order, type Receipt, Refused } from "./shop.ts";

/** Most bytes of a request. */
const BYTES_MAX = 64 * 1024;

/** Makes the backend: `POST /orders` takes an order, `POST /parcels` is the carrier's. */
export function backend(
  take: (order: Order) => Promise<Receipt>,
  telemetry: TelemetryClient,
): Server {
  const answer = async (request: IncomingMessage): Promise<[number, unknown]> => {
    const body = await read(request);
    switch (`${request.method} ${request.url}`) {
      case "POST /orders":
        return [201, await take(body as Order)];
      case "POST /parcels":
        await told(body as Parcel, telemetry);
        return [202, {}];
      default:
        return [404, { error: "there is no such page" }];
    }
  };
  return createServer((request, response) => {
    answer(request).then(
      ([status, body]) => send(response, status, body),
      (error: unknown) => send(response, statusOf(error), { error: messageOf(error) }),
    );
  });
}

/** What the carrier says of a parcel. */
interface Parcel {
  readonly run: string;
  readonly delivered: boolean;
  readonly why?: string;
}

/** A step that nothing here calls: the carrier did it, and tells of it some days later. */
async function told({ run, delivered, why }: Parcel, telemetry: TelemetryClient): Promise<void> {
  await telemetry.recordStep({
    flowKey: "checkout",
    runId: run,
    stepKey: "deliver",
    status: delivered ? "success" : "error",
    ...(why !== undefined && { error: why }),
  });
}

async function read(request: IncomingMessage): Promise<unknown> {
  let text = "";
  request.setEncoding("utf8");
  for await (const chunk of request) {
    text += chunk;
    if (text.length > BYTES_MAX) throw new Refused("the request is too large");
  }
  return JSON.parse(text === "" ? "{}" : text);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function statusOf(error: unknown): number {
  return error instanceof SyntaxError ? 400 : isRefused(error) ? 422 : 500;
}

/** Tells whether an order was refused: the error of a durable run has that of its step behind it. */
function isRefused(error: unknown): boolean {
  for (let next = error; next instanceof Error; next = next.cause) {
    if (NonRetryableError.is(next)) return true;
  }
  return false;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
