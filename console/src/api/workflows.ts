/** The workflows that were ever registered, as lists and forms need them. */

import { useQuery } from "@tanstack/react-query";
import { ask } from "./ask.ts";

export interface Workflow {
  readonly app: string;
  readonly name: string;
  readonly version: string | null;
  /** A JSON Schema; null where the code gives none. */
  readonly inputSchema: unknown;
  readonly inputSchemaError: string | null;
}

/** Reads an answer of `GET /api/v1/workflows`. */
export function readWorkflows(answer: unknown): readonly Workflow[] {
  const list = (answer as { readonly workflows?: unknown } | null)?.workflows;
  if (!Array.isArray(list)) throw new TypeError("the server's answer is no list of workflows");
  // The server is trusted for what stands in a row.
  return list as readonly Workflow[];
}

/** Asks for the workflows, of one app where it is given. */
export function useWorkflows(app: string | null): {
  readonly workflows: readonly Workflow[] | null;
  readonly error: Error | null;
} {
  const { data, error } = useQuery({
    queryKey: ["workflows", app],
    queryFn: async ({ signal }) => {
      const query = app === null ? "" : `?app=${encodeURIComponent(app)}`;
      return readWorkflows(await ask(`/workflows${query}`, signal));
    },
    staleTime: 5000,
  });
  return { workflows: data ?? null, error };
}

/** Returns the schema of a workflow's input, if it can be used. */
export function inputSchemaOf(workflow: Workflow | undefined): unknown {
  if (workflow === undefined || workflow.inputSchemaError !== null) return null;
  return workflow.inputSchema ?? null;
}
