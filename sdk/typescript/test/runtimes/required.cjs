/** A module of CommonJS: `require` gives the package, which is made of ES modules only. */

const { app, StepError, workflow } = require("stepwell");
const { Test } = require("stepwell/test");

const double = workflow({ name: "double" }, async ({ input, step }) => {
  return await step.run("double", () => input * 2);
});

async function main() {
  const { run, same } = await import("./cases.mjs");
  await run("require", {
    "the package and its test kit": async () => {
      const test = await Test.of(app("required", { workflows: [double] }));
      const started = await test.start(double, 4);
      same([started.output(), StepError.is(1)], [8, false]);
      await test.end();
    },
  });
}

main();
