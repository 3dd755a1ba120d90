// A program that reaches a server over TLS, in a process of its own: Node reads NODE_EXTRA_CA_CERTS as it starts.

import { app, client, workflow } from "stepwell";

const url = process.env.SERVER;
const told = (error) => ({ name: error.name, code: error.code, message: error.message });

const asked = await client({ url, retryFor: 0 }).run("run_1").status().catch(told);
process.stdout.write(`${JSON.stringify(asked)}\n`);
if (process.env.NODE_EXTRA_CA_CERTS !== undefined) {
  const shop = app("shop", { workflows: [workflow({ name: "w" }, () => 1)] });
  const served = await shop.serve({ url, log: false }).catch(told);
  process.stdout.write(`${JSON.stringify(served)}\n`);
}
