/** What the shop's functions ask: a bank, carriers, a warehouse. None of it is real, all of it takes time. */

/** Resolves after some milliseconds, or rejects as soon as the step's signal aborts. */
export async function work(ms: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/** A carrier does not take a parcel. */
export class CarrierError extends Error {
  override readonly name = "CarrierError";
}

/** The bank does not take, or give back, a payment. */
export class PaymentError extends Error {
  override readonly name = "PaymentError";
}

/** Another service answered with something else than 200. */
export class HttpError extends Error {
  override readonly name = "HttpError";

  constructor(
    readonly status: number,
    text: string,
    cause?: Error,
  ) {
    super(`${status} ${text}`, { cause });
  }
}

/** Calls a payment provider, as deep as such calls are: its stack is one worth folding. */
export async function postToBank(path: string, attempt: number, busy: number): Promise<string> {
  return await throughPool(async () => {
    await work(60);
    if (attempt > busy) return `ch_${hash(path)}`;
    const cause = new Error("upstream connect error or disconnect/reset before headers");
    throw new HttpError(502, "Bad Gateway", cause);
  });
}

async function throughPool<T>(call: () => Promise<T>): Promise<T> {
  return await withTrace(async () => await call());
}

async function withTrace<T>(call: () => Promise<T>): Promise<T> {
  return await call();
}

/** Makes a short name that is the same for the same text. */
export function hash(text: string): string {
  let sum = 2166136261;
  for (const char of text) sum = Math.imul(sum ^ (char.codePointAt(0) ?? 0), 16777619);
  return (sum >>> 0).toString(36).padStart(7, "0");
}

/** Says how long something takes for somebody: between so many milliseconds, always the same for the same text. */
export function pace(text: string, from: number, to: number): number {
  return from + (Number.parseInt(hash(text), 36) % (to - from));
}
