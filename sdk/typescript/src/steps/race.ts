/** Branches of which the first to settle wins (§5.5). */

import { ArgumentError } from "../errors.js";
import { onBranchSettled, racing, wonBy } from "../machine/race.js";
import { type Outcome, resultOf, type Step } from "../machine/state.js";
import { checkName } from "../name.js";
import { failed, returned } from "./call.js";
import { checkId } from "./name.js";
import { endOf, failing, type Own, type Scope } from "./scope.js";
import { raceError, stepError } from "./thrown.js";

/** Makes the handle of a branch. */
export type MakeHandle = (scope: Scope) => unknown;

type Branch = (step: unknown) => unknown;

/** Runs branches, and gives the one that settled first. */
export async function race(
  scope: Scope,
  own: Own,
  id: string,
  branches: Readonly<Record<string, Branch>>,
  makeHandle: MakeHandle,
): Promise<unknown> {
  try {
    const names = namesOf(scope, id, branches);
    const input = JSON.stringify({ branches: names });
    const end = await endOf(scope, { id, kind: "race", input }, (step) => {
      for (const name of names) begin(scope, step, name, branches[name], makeHandle);
    });
    if (end.error !== undefined) throw raceError(scope, id, end.error);
    const error = stepError(scope, id, end);
    if (error !== undefined) throw error;
    return wonBy(resultOf(end));
  } catch (error) {
    throw failing(own, error);
  }
}

function namesOf(scope: Scope, id: string, branches: unknown): string[] {
  const { core } = scope;
  checkId(core, id);
  const names = typeof branches === "object" && branches !== null ? Object.keys(branches) : [];
  if (names.length === 0) {
    const text = `race \`${id}\` has no branch; accepted: {name: (step) => …, …}, one or more`;
    throw new ArgumentError(text, { stepId: id, runId: core.info.run });
  }
  for (const name of names) checkName("a branch", name);
  return names;
}

function begin(
  scope: Scope,
  step: Step,
  name: string,
  branch: Branch | undefined,
  makeHandle: MakeHandle,
): void {
  const { core } = scope;
  if (racing(core, step).kind === "over") return;
  const settled = (isRejected: boolean, outcome: () => Outcome): void => {
    if (!scope.code.isOver) onBranchSettled(core, step, { name, outcome, isRejected });
  };
  const handle = makeHandle({ ...scope, lane: { race: step, name } });
  const call = async (): Promise<unknown> => branch?.(handle);
  call().then(
    (value) => settled(false, () => won(scope, step.id, name, value)),
    (error: unknown) => settled(true, () => failed(core, error)),
  );
}

/** Returns what is recorded of a branch that settled first. */
function won(scope: Scope, id: string, winner: string, value: unknown): Outcome {
  const what = `the value of branch \`${winner}\` of race \`${id}\``;
  const outcome = returned(scope.core, what, id, value);
  if (outcome.kind !== "returned") return outcome;
  const text = outcome.output === undefined ? "" : `,"value":${outcome.output}`;
  return { kind: "returned", output: `{"winner":${JSON.stringify(winner)}${text}}` };
}
