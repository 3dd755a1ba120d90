/** Each page is shown under its policy, and nothing is said on the console of the browser. */

import { inject } from "vitest";
import { POLICY } from "../harness/pages.ts";
import { expect, runOf, test } from "../harness/test.ts";

const directives = (policy: string) =>
  policy
    .split(";")
    .map((one) => one.trim())
    .filter((one) => one !== "")
    .sort();

test("pages come under the policy", async () => {
  const answer = await fetch(`${inject("site")}/runs`, { headers: { accept: "text/html" } });
  const policy = answer.headers.get("content-security-policy") ?? "";
  // The server may say more than is needed; it may not say less.
  expect(directives(policy)).toEqual(expect.arrayContaining(directives(POLICY)));
});

test("a run is shown as list and timeline", async ({ open }) => {
  const tab = await open();
  await tab.go(`/runs/${runOf("failed")}/list`);
  await tab.page.getByRole("grid").getByText("CarrierError").first().waitFor();
  await tab.page.getByRole("button", { name: /^Timeline/ }).click();
  await tab.page
    .getByRole("button", { name: /\bship\b.*4 attempts/ })
    .first()
    .waitFor();
  expect(tab.address).toContain("/timeline");
});
