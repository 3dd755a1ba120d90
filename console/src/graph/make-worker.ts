/** The worker that places the nodes of graphs, under the page's policy. */

import address from "./layout-worker.ts?worker&url";

/** What a policy of trusted types needs of the browser; Firefox and Safari had none for long. */
interface TrustedTypes {
  readonly createPolicy: (
    name: string,
    rules: { readonly createScriptURL: (text: string) => string },
  ) => { readonly createScriptURL: (text: string) => string };
}

/**
 * The only rule by which the page makes a script of an address: it is the worker's own. The server names the
 * rule in its policy, and the browser refuses all others.
 */
const rule = (globalThis as { readonly trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy(
  "stepwell",
  {
    createScriptURL: (text) => {
      if (text !== address) throw new TypeError(`${text} is no script of the console`);
      return text;
    },
  },
);

/** Starts the worker. */
export function makeWorker(): Worker {
  // What the rule gives stands for the address where the browser asks for such a thing.
  return new Worker(rule?.createScriptURL(address) ?? address, { type: "module" });
}
