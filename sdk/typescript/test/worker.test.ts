import { describe, expect, it } from "vitest";
import { ArgumentError, app, workflow } from "../src/index.js";
import { Backoff } from "../src/worker/backoff.js";
import { isReadable, socketUrl } from "../src/worker/target.js";
import { rejectionOf, thrownBy } from "./support.js";

describe("the worker", () => {
  it("reads the addresses of servers", () => {
    const of = (url: string): string => socketUrl(url, "/api/v1/worker");
    expect(of("http://127.0.0.1:7878")).toBe("ws://127.0.0.1:7878/api/v1/worker");
    expect(of("http://localhost/")).toBe("ws://localhost/api/v1/worker");
    expect(of("http://[::1]:7/durable/")).toBe("ws://[::1]:7/durable/api/v1/worker");
    expect(of("https://a.example/")).toBe("wss://a.example/api/v1/worker");
    for (const url of ["a:1", "a", "ftp://a", "", "http://u:p@a", "http://a?x=1"]) {
      const error = thrownBy(() => of(url));
      expect(ArgumentError.is(error), url).toBe(true);
      expect(String(error)).toContain("accepted: http://host:port");
    }
  });

  it("is refused a list in which one is no address, with which", async () => {
    const shop = app("shop", { workflows: [workflow({ name: "w" }, () => 1)] });
    const error = await rejectionOf(shop.serve({ url: "http://127.0.0.1:1,127.0.0.1:2" }));
    expect(ArgumentError.is(error) && error.message).toContain("url, number 2 of 2: `127.0.0.1:2`");
  });

  it("knows where a key would be readable on its way", () => {
    const urls = ["ws://a.example", "ws://192.0.2.1:7", "wss://a.example", "ws://localhost:7"];
    const local = ["ws://127.0.0.9", "ws://[::1]:7/"];
    expect([...urls, ...local].filter(isReadable)).toEqual(urls.slice(0, 2));
  });

  it("waits longer and longer before it connects again, to a bound", () => {
    const backoff = new Backoff();
    const least = Array.from({ length: 10 }, () => backoff.next(0));
    expect(least).toEqual([25, 50, 100, 200, 400, 800, 1_000, 1_000, 1_000, 1_000]);
    expect(backoff.next(0.999)).toBeLessThan(2_000);
    backoff.reset();
    expect(backoff.next(0)).toBe(25);
  });
});
