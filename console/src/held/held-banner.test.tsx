// @vitest-environment happy-dom

import { act, cleanup, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { acts, press, problem, serve, show, type } from "../acts/testing.tsx";
import { meAs } from "../model/testing.ts";
import { HeldBanner } from "./held-banner.tsx";

const told = vi.hoisted(() => new Set<(connection: { state: string }) => void>());
vi.mock("../live/stream.ts", () => ({
  useConnection: () => ({ state: "live", asOf: null, retryAt: null }),
  onConnection: (listener: (connection: { state: string }) => void) => {
    told.add(listener);
    return () => told.delete(listener);
  },
}));

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const RESTORED = { backup: "b-<i>7</i>", takenAt: "2026-11-21T03:00:00.000000Z", held: true };
const BANNER = /^No run goes on/;

function open(health: () => object, me = meAs("admin"), answer = () => Response.json({})) {
  const asked = serve(({ path, body }) => {
    if (body !== null) return answer();
    return path === "/healthz" ? Response.json(health()) : problem(404, "SW1002", "nothing");
  });
  show(<HeldBanner />, me);
  return asked;
}

test("says of which backup the server is, and that nothing runs", async () => {
  open(() => ({ status: "held", restored: RESTORED }));
  const banner = await screen.findByRole("region", { name: "Runs are held" });
  expect(banner.textContent).toContain("restored from b-<i>7</i>, made ");
  expect(banner.querySelector("i")).toBe(null);
});

test("says nothing of a server whose runs go on", async () => {
  const asked = open(() => ({ status: "ok", restored: { ...RESTORED, held: false } }));
  await waitFor(() => expect(asked).toHaveLength(1));
  expect(screen.queryByText(BANNER)).toBe(null);
});

test("runs are let go once the name of the backup was typed, and the banner goes", async () => {
  let status = "held";
  const asked = open(
    () => ({ status, restored: RESTORED }),
    meAs("admin"),
    () => {
      status = "ok";
      return Response.json({ restored: { ...RESTORED, held: false } });
    },
  );
  await screen.findByText(BANNER);
  press("Let the runs go");
  expect(screen.getByText("stepwell resume")).toBeTruthy();
  press(/^Let the runs go Ctrl/);
  expect(await screen.findByText("This is not its name")).toBeTruthy();
  expect(acts(asked)).toEqual([]);
  type(/^Type/, RESTORED.backup);
  press(/^Let the runs go Ctrl/);
  await waitFor(() => expect(screen.queryByText(BANNER)).toBe(null));
  expect(screen.queryByRole("dialog")).toBe(null);
  expect(acts(asked)).toEqual([{ path: "/api/v1/server/resume", body: "{}" }]);
});

test("who may not sees why, and what is not told is not said", async () => {
  const asked = open(() => ({ status: "held" }), meAs("operator", "acme"));
  const banner = await screen.findByRole("region");
  expect(banner.textContent).toContain("this server was restored. Runs");
  const button = screen.getByRole("button", { name: "Let the runs go" });
  expect(button.title).toBe(
    "Your key has the role operator; letting runs go needs admin in the namespace default.",
  );
  press("Let the runs go");
  expect(screen.queryByRole("dialog")).toBe(null);
  expect(acts(asked)).toEqual([]);
});

test("a server that comes back restored is seen without a reload", async () => {
  let status = "ok";
  const asked = open(() => ({ status }));
  await waitFor(() => expect(asked).toHaveLength(1));
  status = "held";
  await act(async () => {
    for (const tell of told) tell({ state: "away" });
  });
  expect(asked).toHaveLength(1);
  await act(async () => {
    for (const tell of told) tell({ state: "live" });
  });
  await screen.findByText(BANNER);
});
