/** The logs of handlers and of steps (§2.2, §2.3). */

import type { Core } from "../machine/core.js";
import { insideFunction } from "../machine/inside.js";
import { log } from "../machine/line.js";
import type { Step } from "../machine/state.js";
import type { Log, LogFields, LogLevel } from "../types/log.js";

class Lines implements Log {
  readonly #put: (level: LogLevel, message: string, fields: LogFields | undefined) => void;

  constructor(put: (level: LogLevel, message: string, fields: LogFields | undefined) => void) {
    this.#put = put;
  }

  debug(message: string, fields?: LogFields): void {
    this.#put("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#put("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#put("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#put("error", message, fields);
  }
}

/** Returns the log of a step. */
export function stepLog(core: Core, step: Step): Log {
  return new Lines((level, message, fields) => log(core, step, level, String(message), fields));
}

/** Returns the log of a handler: used in a step's function, its lines are the step's. */
export function handlerLog(core: Core): Log {
  return new Lines((level, message, fields) => {
    const inside = insideFunction();
    const step = inside?.core === core ? inside.step : undefined;
    log(core, step, level, String(message), fields);
  });
}
