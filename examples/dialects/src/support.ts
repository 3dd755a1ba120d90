/** What tests share. */

import type { StepStatus, StepView } from "stepwell";
import { type Showable, until } from "./checks.ts";

/** Functions that wait until somebody opens it. */
export class Gate {
  /** How often functions came. */
  calls = 0;
  #open: () => void = () => undefined;
  readonly #opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

  open(): void {
    this.#open();
  }

  /** Comes to it; resolves as it opens. */
  async pass(): Promise<number> {
    this.calls += 1;
    await this.#opened;
    return this.calls;
  }
}

/** Resolves to a step of a run once it stands so. */
export async function stepIs(run: Showable, id: string, status: StepStatus): Promise<StepView> {
  const find = async () => (await run.show()).steps.find((one) => one.id === id) ?? null;
  const found = await until(find, (step) => step?.status === status);
  if (found === null) throw new Error(`there is no step ${id}`);
  return found;
}

/** Resolves to what a promise is rejected with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<Error> {
  return await promise.then(
    () => {
      throw new Error("it was not rejected");
    },
    (error: unknown) => error as Error,
  );
}
