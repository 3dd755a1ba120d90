import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";

const KEY = "sw_testkey_secretsecret";
const CHILD = fileURLToPath(new URL("encrypted-child.mjs", import.meta.url));

describe("a server with TLS", { timeout: 30_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "stepwell-tls-"));
  const authority = join(folder, "ca.pem");
  const shown: (string | undefined)[] = [];
  let server: Server;

  beforeAll(async () => {
    const key = join(folder, "key.pem");
    // Node cannot make certificates.
    const request = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2`;
    const names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    const files = ["-subj", "/CN=localhost", "-keyout", key, "-out", authority];
    execFileSync("openssl", [...request.split(" "), ...files, ...names], { stdio: "pipe" });
    server = createServer({ key: readFileSync(key), cert: readFileSync(authority) });
    const sockets = new WebSocketServer({ server, handleProtocols: () => "stepwell.v1" });
    server.on("request", (request, response) => {
      shown.push(request.headers.authorization);
      response.end(JSON.stringify({ id: "run_1", status: "queued" }));
    });
    sockets.on("connection", (socket, request) => {
      shown.push(request.headers.authorization);
      const refused = { code: "SW3003", message: "that is enough" };
      socket.once("message", () => socket.send(JSON.stringify([{ refused }])));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
  });

  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  /** Runs the program, and gives what it printed. */
  async function child(trusted?: string): Promise<unknown[]> {
    const { port } = server.address() as AddressInfo;
    const SERVER = `https://localhost:${port}`;
    const { NODE_EXTRA_CA_CERTS: _, ...rest } = process.env;
    const trust = trusted === undefined ? {} : { NODE_EXTRA_CA_CERTS: trusted };
    const options = { env: { ...rest, ...trust, SERVER, STEPWELL_KEY: KEY } };
    const { stdout } = await promisify(execFile)(process.execPath, [CHILD], options);
    return stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
  }

  it("is reached where its authority is named", async () => {
    expect(await child(authority)).toEqual([
      "queued",
      { name: "RefusedError", code: "SW3003", message: "that is enough" },
    ]);
    expect(shown).toEqual([`Bearer ${KEY}`, `Bearer ${KEY}`]);
  });

  it("is not told the key where its authority is not known", async () => {
    const before = shown.length;
    const [asked] = await child();
    expect(asked).toMatchObject({ name: "ConnectionError" });
    expect((asked as { message: string }).message).toContain("NODE_EXTRA_CA_CERTS");
    expect(shown.length).toBe(before);
  });
});
