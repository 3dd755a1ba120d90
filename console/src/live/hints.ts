/**
 * Where the console learns that something changed. A hint names a run, and a version where the source knows
 * it; whoever shows that run asks for it again.
 *
 * The server has no stream of changes, so hints are made here: when the page is looked at again, and from
 * time to time while it is. Nothing else in the console knows where they come from.
 */

export interface Hint {
  readonly run: string;
  /** The run's version, where the source knows it: what is not newer needs no question. */
  readonly version?: number;
}

export interface Watch {
  /** The least time between two hints of the clock. */
  readonly everyMs: () => number;
}

/** Calls `onHint` whenever a run may have changed, until the returned function is called. */
export function hints(run: string, watch: Watch, onHint: (hint: Hint) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const looked = () => document.visibilityState === "visible";
  const hint = () => {
    if (looked()) onHint({ run });
  };
  const again = () => {
    timer = setTimeout(() => {
      hint();
      again();
    }, watch.everyMs());
  };
  window.addEventListener("focus", hint);
  document.addEventListener("visibilitychange", hint);
  again();
  return () => {
    clearTimeout(timer);
    window.removeEventListener("focus", hint);
    document.removeEventListener("visibilitychange", hint);
  };
}
