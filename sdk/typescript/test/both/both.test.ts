import { type App, app } from "stepwell";
import { hasServer } from "stepwell/test";
import { expect, it } from "vitest";
import type { Behaviour } from "./behaviour.js";
import { RUN_BEHAVIOURS } from "./runs.js";
import { Real, type Shown, type Stage, StandIn } from "./stage.js";
import { STEP_BEHAVIOURS } from "./steps.js";

async function played(behaviour: Behaviour, stage: Stage): Promise<Shown[]> {
  await behaviour.play(stage);
  const shown: Shown[] = [];
  for (const run of await stage.runs()) shown.push(await stage.show(run));
  await stage[Symbol.asyncDispose]();
  return shown;
}

/** §3.2, §3.3, §3.4: the stand-in shows of every run and step what a server shows. */
it.skipIf(!hasServer()).each([...STEP_BEHAVIOURS, ...RUN_BEHAVIOURS])(
  "the stand-in does as a server does: $name",
  async (behaviour) => {
    const { workflows } = behaviour;
    const shop = (): App => app("shop", { workflows, deps: behaviour.deps?.() });
    const here = await played(behaviour, await StandIn.of(shop()));
    const there = await played(behaviour, await Real.of(shop()));
    expect(here.length).toBeGreaterThan(0);
    expect(here).toEqual(there);
  },
  30_000,
);
