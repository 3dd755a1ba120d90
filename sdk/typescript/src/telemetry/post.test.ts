import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Post } from "./post.js";

const EVENTS = Array.from({ length: 300 }, (_, n) => JSON.stringify({ id: `e${n}` }));

/** Returns what a server would read of a body. */
async function bodyAt(url: string, events: readonly string[]): Promise<[boolean, unknown]> {
  const post = new Post([new URL(url)], undefined);
  const body = await post.body(events.map((text) => ({ text: () => text })));
  post.end();
  const bytes = body.isPacked ? gunzipSync(body.bytes) : body.bytes;
  return [body.isPacked, JSON.parse(bytes.toString())];
}

describe("a body", () => {
  /** §10.3: it is packed where it travels and is worth it, and the server reads the same. */
  it("is packed for other machines", async () => {
    const wanted = { process: expect.any(String), events: EVENTS.map((one) => JSON.parse(one)) };
    for (const url of ["https://stepwell.example", "http://10.0.0.7:7878"]) {
      expect(await bodyAt(url, EVENTS)).toEqual([true, wanted]);
      expect((await bodyAt(url, EVENTS.slice(0, 1)))[0]).toBe(false);
    }
    for (const url of ["http://127.0.0.1:7878", "http://localhost:7878", "http://[::1]:7878"]) {
      expect(await bodyAt(url, EVENTS)).toEqual([false, wanted]);
    }
  });
});
