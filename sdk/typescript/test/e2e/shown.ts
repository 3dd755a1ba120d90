/** What tests of a real server look at. */

import type { RunView, StepView } from "stepwell";

/** What can be shown. */
interface Showable {
  show(): Promise<RunView>;
}

/** Resolves once a run is shown as it is wanted. */
export async function shown(run: Showable, isWanted: (view: RunView) => boolean): Promise<RunView> {
  for (let n = 0; ; n++) {
    const view = await run.show();
    if (isWanted(view)) return view;
    if (n > 1_000) throw new Error(`it did not come so far: ${JSON.stringify(view.steps)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Resolves once a step of a run stands so; gives the step. */
export async function stepIs(run: Showable, id: string, status: string): Promise<StepView> {
  const of = (view: RunView): StepView | undefined =>
    view.steps.find((step) => step.id.replace("\u001f", " ") === id && step.status === status);
  const found = of(await shown(run, (view) => of(view) !== undefined));
  if (found === undefined) throw new Error(`there is no step ${id}`);
  return found;
}
