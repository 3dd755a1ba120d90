/**
 * Stands in for a server of telemetry, in a process of its own: `node server.mjs MODE`, where MODE is `up`, `fails`
 * (answers 500), `hangs` (never answers) or `slow` (takes 100 ms a request). Says its port; ends with its input.
 */

import { createServer } from "node:http";

const MODE = process.argv[2];
const SLOW_MS = 100;

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    if (MODE === "hangs") return;
    if (MODE === "fails") {
      response.writeHead(500, { "content-type": "application/json" }).end('{"detail":"it fails"}');
      return;
    }
    const { events } = JSON.parse(Buffer.concat(chunks).toString());
    const answer = JSON.stringify({ accepted: events.length, refused: [], refusedTotal: 0 });
    const send = () => response.writeHead(200, { "content-type": "application/json" }).end(answer);
    setTimeout(send, MODE === "slow" ? SLOW_MS : 0);
  });
});

server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
process.stdin.on("end", () => process.exit(0)).resume();
