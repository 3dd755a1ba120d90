/** The trace that the program is in, where it uses OpenTelemetry. */

/** Where `@opentelemetry/api` keeps what is registered, and how a context names its span: the same in all of 1.x. */
const API: unique symbol = Symbol.for("opentelemetry.js.api.1");
const SPAN: unique symbol = Symbol.for("OpenTelemetry Context Key SPAN");

/** The part of the API that is used. */
interface Api {
  readonly context?: { active?(): { getValue?(key: symbol): unknown } };
}

/** Returns the trace id of the active span; nothing where there is none, or no OpenTelemetry. */
export function activeTrace(): unknown {
  try {
    // What registered itself there is asked with care.
    const api = (globalThis as { readonly [API]?: Api })[API];
    if (api === undefined) return undefined;
    const span = api.context?.active?.().getValue?.(SPAN);
    const context = (
      span as { spanContext?(): { traceId?: unknown } } | undefined
    )?.spanContext?.();
    return context?.traceId === NONE ? undefined : context?.traceId;
  } catch {
    return undefined;
  }
}

/** The id of a span that is in no trace. */
const NONE = "0".repeat(32);
