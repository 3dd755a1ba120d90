/** What keyboards of this platform call the key that goes with others. */

/** Says whether the keyboard has ⌘. */
export function isApple(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.userAgent);
}

/** Writes a key as this platform does: `⌘K` is `Ctrl K` elsewhere. */
export function platformKey(key: string): string {
  return isApple() ? key : key.replace("⌘", "Ctrl ");
}
