/** The app that snippets of the pages import. */

import { type App, app, unchecked, type Workflow, workflow } from "stepwell";

type Checkout = Workflow<"checkout", { order: string; cents: number }, { tx: string }>;

const checkout: Checkout = workflow(
  { name: "checkout", input: unchecked<{ order: string; cents: number }>() },
  async ({ step, input }) => await step.run("charge", () => ({ tx: `tx of ${input.order}` })),
);

/** An app with one workflow. */
export const shop: App<"shop", readonly [Checkout]> = app("shop", { workflows: [checkout] });
