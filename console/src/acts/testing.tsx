/** What tests of dialogs need: a server that answers as it is told, and fields by their names. */

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { vi } from "vitest";
import { session } from "../api/session.ts";
import type { Me } from "../model/rights.ts";
import { LOCAL } from "../model/testing.ts";

/** What was asked of the server. */
export interface Asked {
  readonly path: string;
  readonly body: string | null;
}

type Answer = (asked: Asked) => Response | Promise<Response>;

/** Stands in for the server. Returns what is asked, as it is. */
export function serve(answer: Answer): Asked[] {
  const all: Asked[] = [];
  vi.stubGlobal("fetch", async (path: string, request: RequestInit) => {
    const asked = { path, body: typeof request.body === "string" ? request.body : null };
    all.push(asked);
    return answer(asked);
  });
  return all;
}

/** Lists the acts among what was asked. */
export function acts(asked: readonly Asked[]): readonly Asked[] {
  return asked.filter((one) => one.body !== null);
}

/** Answers as the API does where it refuses. */
export function problem(status: number, code: string, detail: string, more = {}): Response {
  return Response.json({ status, code, detail, ...more }, { status });
}

/** Shows a dialog as pages do, to somebody. */
export function show(dialog: ReactNode, me: Me = LOCAL) {
  session.assume(me);
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(<QueryClientProvider client={client}>{dialog}</QueryClientProvider>);
}

/** Types into the field of a name. */
export function type(name: string | RegExp, value: string): void {
  fireEvent.change(screen.getByLabelText(name), { target: { value } });
}

/** Presses the button of a name. */
export function press(name: string | RegExp): void {
  fireEvent.click(screen.getByRole("button", { name }));
}
