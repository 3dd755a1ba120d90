/** Asks for the palette from anywhere, without loading it. */

const NAME = "stepwell:palette";

/** Opens the palette, if the page has one. */
export function openPalette(): void {
  dispatchEvent(new Event(NAME));
}

/** Calls `listener` whenever the palette is asked for, until the returned function is called. */
export function onOpenPalette(listener: () => void): () => void {
  addEventListener(NAME, listener);
  return () => removeEventListener(NAME, listener);
}
