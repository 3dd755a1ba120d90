/** Questions to the server: JSON over HTTP, and what it says where it refuses. */

/** A place of what was sent that is wrong, by its JSON pointer. */
export interface Place {
  readonly path: string;
  readonly message: string;
}

/** An answer that is no answer: what the server refused, or that it was not reached. */
export class AskError extends Error {
  override readonly name = "AskError";

  constructor(
    message: string,
    /** The status of HTTP; 0 where there was no answer. */
    readonly status: number,
    /** The code `SWnnnn`, where the server gave one. */
    readonly code: string | null,
    /** Which places of an input are wrong, where the server says so. */
    readonly places: readonly Place[] = [],
    /** In how many milliseconds to try again, where the server says so. */
    readonly retryMs: number | null = null,
  ) {
    super(message);
  }
}

const ANSWER_MS_MAX = 20_000;
const UNAUTHENTICATED = 401;
const NO_CONTENT = 204;

const onNobody = new Set<(error: AskError) => void>();

/** Calls `listener` whenever the server no longer knows who asks, until the returned function is called. */
export function onUnauthenticated(listener: (error: AskError) => void): () => void {
  onNobody.add(listener);
  return () => onNobody.delete(listener);
}

/** Asks for what is below `/api/v1`. */
export function ask(path: string, signal: AbortSignal): Promise<unknown> {
  return answerTo(path, { headers: { accept: "application/json" } }, signal);
}

/** Asks how the server is: that stands beside the API. */
export function askHealth(signal: AbortSignal): Promise<unknown> {
  return answerOf("/healthz", { headers: { accept: "application/json" } }, signal);
}

/**
 * Sends a request to what is below `/api/v1`, and reads its answer.
 *
 * @throws `AskError` where the server refuses or is not reached; what `signal` throws where it stops.
 */
export function answerTo(
  path: string,
  request: RequestInit,
  signal: AbortSignal,
): Promise<unknown> {
  return answerOf(`/api/v1${path}`, request, signal);
}

async function answerOf(
  address: string,
  request: RequestInit,
  signal: AbortSignal,
): Promise<unknown> {
  const over = AbortSignal.timeout(ANSWER_MS_MAX);
  let answer: Response;
  try {
    answer = await fetch(address, {
      ...request,
      signal: AbortSignal.any([signal, over]),
    });
    if (answer.status === NO_CONTENT) return null;
    if (answer.ok) return await answer.json();
  } catch (error) {
    if (signal.aborted) throw error;
    const why = over.aborted
      ? `did not answer within ${ANSWER_MS_MAX / 1000} s`
      : "cannot be reached";
    throw new AskError(`the server ${why}`, 0, null);
  }
  const error = await refusal(answer);
  if (error.status === UNAUTHENTICATED) for (const tell of onNobody) tell(error);
  throw error;
}

/** Says whether the server refused: what it refused once it refuses again. */
export function isRefusal(error: unknown): boolean {
  return error instanceof AskError && error.status >= 400 && error.status < 500;
}

/** Makes any error one of these, so that those who show it need to know one kind only. */
export function asAskError(error: unknown): AskError {
  if (error instanceof AskError) return error;
  return new AskError(error instanceof Error ? error.message : String(error), 0, null);
}

async function refusal(answer: Response): Promise<AskError> {
  const problem: unknown = await answer.json().catch(() => null);
  const { detail, title, code, errors } = (problem ?? {}) as Record<string, unknown>;
  const told = [detail, title].find((text) => typeof text === "string");
  // A proxy answers in its own words where the server is away.
  const message =
    typeof told === "string" ? told : `the server answered with status ${answer.status}`;
  const named = typeof code === "string" ? code : null;
  return new AskError(message, answer.status, named, placesOf(errors), retryMs(answer));
}

/** RFC 9110 §10.2.3; the API gives seconds. */
function retryMs(answer: Response): number | null {
  const seconds = Number.parseInt(answer.headers.get("retry-after") ?? "", 10);
  return Number.isNaN(seconds) ? null : seconds * 1000;
}

function placesOf(errors: unknown): readonly Place[] {
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((one: unknown) => {
    const { path, message } = (one ?? {}) as Record<string, unknown>;
    return typeof path === "string" && typeof message === "string" ? [{ path, message }] : [];
  });
}
