/** Keys and namespaces for the page of access: made by the API, as its acts are. */

import { hostileName } from "../workshop/hostile.ts";
import { poster } from "./post.ts";

/** Names of keys hold no control characters, and are not longer than this. */
const NAME_CHARS_MAX = 60;

function hostileKeyName(n: number): string {
  return hostileName(n)
    .replace(/\p{Cc}/gu, "")
    .slice(0, NAME_CHARS_MAX)
    .trim();
}

/** Makes them on a server that asks for no key. */
export async function playKeys(server: string): Promise<void> {
  const post = poster(server);
  for (const name of ["shop", "finance"]) await post("/namespaces", { name });
  const make = async (name: string, role: string, more: object = {}) =>
    await post("/keys", { name, role, ...more });
  const old = await make("old laptop", "operator", { reason: "for Mara" });
  await make("Hanna Okafor", "admin", { reason: "she runs the server" });
  const runner = await make("checkout runner", "worker", { namespace: "shop", expiresIn: "90d" });
  await make("web", "client", { namespace: "shop", expiresIn: "30d" });
  await make("night watch", "viewer", { namespace: "finance" });
  for (const n of [0, 1, 2]) await make(hostileKeyName(n), "viewer", { reason: hostileKeyName(n) });
  await post(`/keys/${runner.id}/rotate`, { overlap: "7d", reason: "every year" });
  await post(`/keys/${old.id}/revoke`, { reason: "left on a train" });
  // One that is refused is in the log too.
  await post(`/keys/${old.id}/rotate`, { reason: "by mistake" }).catch(() => undefined);
}
