/** Runners as the API tells them, by app and name, with what of them stands beside each other. */

export interface Runner {
  readonly app: string;
  readonly name: string;
  readonly instance: string;
  readonly sdk: string;
  readonly build: string | null;
  readonly connectedAt: string;
  readonly seenAt: string;
  readonly slots: number;
  readonly busy: number;
  /** Runs that it has, in slots or parked. */
  readonly held: number;
  readonly draining: boolean;
  /** `name@version`, or the name where it has no version. */
  readonly workflows: readonly string[];
}

/** A workflow as a runner has it. */
export interface Runs {
  readonly workflow: string;
  readonly version: string | null;
  /** Another runner of the app has another version of it: a deploy is under way. */
  readonly isMixed: boolean;
}

/** Instances of an app, side by side. */
export interface AppRunners {
  readonly app: string;
  readonly slots: number;
  readonly busy: number;
  /** Builds in use, where there are several. */
  readonly builds: readonly string[];
  readonly runners: readonly (Runner & { readonly runs: readonly Runs[] })[];
}

/** Reads `checkout@2`; a version may hold `@`, a workflow's name does not. */
export function workflowOf(text: string): { workflow: string; version: string | null } {
  const at = text.indexOf("@");
  if (at < 0) return { workflow: text, version: null };
  return { workflow: text.slice(0, at), version: text.slice(at + 1) };
}

/** Groups runners by app, in the order of names. */
export function byApp(all: readonly Runner[]): readonly AppRunners[] {
  const apps = new Map<string, Runner[]>();
  for (const runner of all) {
    const of = apps.get(runner.app);
    if (of === undefined) apps.set(runner.app, [runner]);
    else of.push(runner);
  }
  return [...apps].sort(([a], [b]) => a.localeCompare(b)).map(([app, of]) => group(app, of));
}

function group(app: string, of: readonly Runner[]): AppRunners {
  const versions = new Map<string, Set<string | null>>();
  for (const text of of.flatMap((runner) => runner.workflows)) {
    const { workflow, version } = workflowOf(text);
    versions.set(workflow, (versions.get(workflow) ?? new Set()).add(version));
  }
  const isMixed = (workflow: string) => (versions.get(workflow)?.size ?? 0) > 1;
  const builds = new Set(of.flatMap((runner) => (runner.build === null ? [] : [runner.build])));
  const runners = of.map((runner) => ({
    ...runner,
    runs: runner.workflows
      .map(workflowOf)
      .map((one) => ({ ...one, isMixed: isMixed(one.workflow) })),
  }));
  return {
    app,
    slots: of.reduce((sum, runner) => sum + runner.slots, 0),
    busy: of.reduce((sum, runner) => sum + runner.busy, 0),
    builds: builds.size > 1 ? [...builds].sort() : [],
    runners: runners.sort(
      (a, b) => a.name.localeCompare(b.name) || a.connectedAt.localeCompare(b.connectedAt),
    ),
  };
}

/** Reads an answer of `GET /runners`. */
export function readRunners(answer: unknown): readonly Runner[] {
  const { runners } = (answer ?? {}) as { runners?: unknown };
  if (!Array.isArray(runners)) throw new TypeError("the server's answer holds no runners");
  // What is inside a list of the server's is its word.
  return runners as readonly Runner[];
}
