/** The code of a run in this process: its handler, or that of its clean-up. */

/**
 * A promise cannot be dropped: a handler whose run goes on without it may still move and ask for
 * steps. Each call of code has one of these, and what asks with one that is over is never answered.
 */
export class Code {
  isOver = false;
  /** It said that another run goes on (§2.3): by an error, which it has to let through. */
  hasContinued = false;
}
