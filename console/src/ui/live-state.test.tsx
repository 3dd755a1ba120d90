// @vitest-environment happy-dom

import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import type { Connection } from "../live/stream.ts";
import { Elapsed } from "./elapsed.tsx";
import { LiveState } from "./live-state.tsx";

const connection = vi.hoisted(() => ({ now: { state: "live", asOf: null, retryAt: null } }));
vi.mock("../live/stream.ts", () => ({ useConnection: () => connection.now }));

function isNow(now: Connection): void {
  Object.assign(connection, { now });
}

afterEach(cleanup);

test("a page that hears the server says that it is live", () => {
  isNow({ state: "live", asOf: 0, retryAt: null });
  render(<LiveState />);
  expect(screen.getByRole("status").textContent).toBe("Live");
});

test("away, it says from when it is and when the server is tried again", () => {
  const asOf = new Date(2026, 10, 22, 14, 31, 2).getTime();
  isNow({ state: "away", asOf, retryAt: Date.now() + 2500 });
  const { container } = render(<LiveState />);
  expect(container.textContent?.replaceAll("\u00a0", " ")).toMatch(
    /^Reconnectingin [34] s\. As of 14:31:02\.$/,
  );
});

test("away, an elapsed time stops at what is known and says so", () => {
  isNow({ state: "away", asOf: 65_000, retryAt: null });
  const { container } = render(<Elapsed from={5000} />);
  expect(container.textContent?.replaceAll("\u00a0", " ")).toBe("at least 1 m 00 s");
});
