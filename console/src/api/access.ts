/** Acts on keys and namespaces. */

import { type DeletedNamespace, type MadeKey, readMade } from "../model/access.ts";
import { post, remove } from "./act.ts";

export interface KeyRequest {
  readonly name: string;
  readonly role: string;
  readonly namespace?: string;
  /** A duration, such as `90d`; without it the key does not expire. */
  readonly expiresIn?: string;
  readonly reason: string;
}

/** Makes a key. The answer is the only one that ever holds it. */
export async function makeKey(request: KeyRequest, signal: AbortSignal): Promise<MadeKey> {
  return readMade(await post("/keys", request, signal));
}

/** Gives a key another secret; the one before is taken for as long as `overlap` says. */
export async function rotateKey(
  id: string,
  request: { readonly overlap: string; readonly reason: string },
  signal: AbortSignal,
): Promise<MadeKey> {
  return readMade(await post(`/keys/${encodeURIComponent(id)}/rotate`, request, signal));
}

/** Ends a key. */
export async function revokeKey(id: string, reason: string, signal: AbortSignal): Promise<void> {
  await post(`/keys/${encodeURIComponent(id)}/revoke`, { reason }, signal);
}

/** Makes a namespace. */
export async function makeNamespace(name: string, signal: AbortSignal): Promise<void> {
  await post("/namespaces", { name }, signal);
}

/** Deletes a namespace; one with runs only where they are to be ended. */
export async function deleteNamespace(
  name: string,
  runs: "refuse" | "end",
  reason: string,
  signal: AbortSignal,
): Promise<DeletedNamespace> {
  const query = new URLSearchParams({ ...(runs === "end" && { force: "true" }), reason });
  const answer = await remove(`/namespaces/${encodeURIComponent(name)}?${query}`, signal);
  const { gone, active, ended } = (answer ?? {}) as Partial<DeletedNamespace>;
  return { name, gone: gone ?? false, active: active ?? 0, ended: ended ?? 0 };
}
