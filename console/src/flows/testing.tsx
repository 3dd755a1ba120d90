/** Shows pages of flows in tests: a server that answers by path, and a worker that places at once. */

import { QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { vi } from "vitest";
import { makeQueryClient } from "../api/query-client.ts";
import type { Answer, Ask } from "../graph/layout-worker.ts";
import { place } from "../model/placement.ts";

/** Answers by the path below `/api/v1`; a path that is not there is not known to the server. */
export type Answers = Readonly<Record<string, unknown>>;

/** Serves the answers, and tells what was asked. */
export function serve(answers: Answers): readonly string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (input: string) => {
    const url = new URL(input, "http://stepwell.test");
    const path = url.pathname.replace("/api/v1", "");
    asked.push(path + url.search);
    const answer = answers[path];
    const problem = { detail: "nothing is known of it", code: "SW1004" };
    return Promise.resolve(
      answer === undefined
        ? new Response(JSON.stringify(problem), { status: 404 })
        : new Response(JSON.stringify(answer)),
    );
  });
  return asked;
}

/** Shows a page. */
export function show(page: ReactNode): void {
  // What is not laid out has no height, and no row would be seen.
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(800);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(1400);
  render(<QueryClientProvider client={makeQueryClient()}>{page}</QueryClientProvider>);
}

/** A worker of the page's own thread. */
export class WorkerHere {
  onmessage: ((event: MessageEvent<Answer>) => void) | null = null;
  postMessage({ number, question }: Ask): void {
    const answer: Answer = { number, placement: place(question) };
    queueMicrotask(() => this.onmessage?.(new MessageEvent("message", { data: answer })));
  }
  terminate(): void {
    this.onmessage = null;
  }
}
