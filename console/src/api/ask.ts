/** Questions to the server: JSON over HTTP, and what it says where it refuses. */

/** An answer that is no answer: what the server refused, or that it was not reached. */
export class AskError extends Error {
  override readonly name = "AskError";

  constructor(
    message: string,
    /** The status of HTTP; 0 where there was no answer. */
    readonly status: number,
    /** The code `SWnnnn`, where the server gave one. */
    readonly code: string | null,
  ) {
    super(message);
  }
}

const ANSWER_MS_MAX = 20_000;

/** Asks for what is below `/api/v1`. */
export async function ask(path: string, signal: AbortSignal): Promise<unknown> {
  const over = AbortSignal.timeout(ANSWER_MS_MAX);
  let answer: Response;
  try {
    answer = await fetch(`/api/v1${path}`, {
      headers: { accept: "application/json" },
      signal: AbortSignal.any([signal, over]),
    });
    if (answer.ok) return await answer.json();
  } catch (error) {
    if (signal.aborted) throw error;
    const why = over.aborted
      ? `did not answer within ${ANSWER_MS_MAX / 1000} s`
      : "cannot be reached";
    throw new AskError(`the server ${why}`, 0, null);
  }
  throw await refusal(answer);
}

async function refusal(answer: Response): Promise<AskError> {
  const problem: unknown = await answer.json().catch(() => null);
  const { detail, title, code } = (problem ?? {}) as Record<string, unknown>;
  const told = [detail, title].find((text) => typeof text === "string");
  // A proxy answers in its own words where the server is away.
  const message =
    typeof told === "string" ? told : `the server answered with status ${answer.status}`;
  return new AskError(message, answer.status, typeof code === "string" ? code : null);
}
