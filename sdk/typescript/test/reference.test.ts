import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { reference } from "./reference.js";

it("the API reference is what the doc comments say, and all that is exported has one", async () => {
  const root = fileURLToPath(new URL("..", import.meta.url));
  await expect(reference(root)).toMatchFileSnapshot("../docs/reference.md");
}, 60_000);
