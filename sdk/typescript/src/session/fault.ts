/** Why a connection cannot go on. */

/**
 * Refusals that another connection would meet again; SW1010 and SW1011 are about the key, which is
 * unknown, expired or revoked, or not for this.
 */
const FINAL: ReadonlySet<string> = new Set(["SW1010", "SW1011", "SW3002", "SW3003"]);

/** A refusal before `welcome` with this code is one of the handshake: it would be met again too. */
const PROTOCOL = "SW3001";

/** The node ended the connection, or is not understood. */
export class Fault extends Error {
  override readonly name: string = "Fault";
  /** The stable code, `SWnnnn`, where the node gave one. */
  readonly code: string | undefined;
  /** Connecting again is of no use. */
  readonly isFinal: boolean;

  constructor(message: string, code?: string, isFinal = false) {
    super(message);
    this.code = code;
    this.isFinal = isFinal;
  }
}

/** Reads why the node closed a connection, where it would close the next one too: `SW1010: the key …`. */
export function closeFault(reason: string): Fault | undefined {
  const [, code = "", message = ""] = /^(SW\d{4}): (.*)$/s.exec(reason) ?? [];
  return FINAL.has(code) ? new Fault(message, code, true) : undefined;
}

/** Makes a fault of a refusal. */
export function refusal(code: string, message: string, wasWelcome: boolean): Fault {
  return new Fault(message, code, FINAL.has(code) || (!wasWelcome && code === PROTOCOL));
}
