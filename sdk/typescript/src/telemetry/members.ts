/** Reading what a program gave: nothing of telemetry throws into it (§10.1). */

/** Returns the members of what the program gave, which may be nothing, or refuse to be read. */
export function membersOf(given: object | undefined): Readonly<Record<string, unknown>> {
  try {
    return { ...given };
  } catch {
    return {};
  }
}
