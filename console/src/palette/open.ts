/** Asks for the palette and the dialogs beside it from anywhere, without loading them. */

/** What stands over every page. */
export type Overlay = "palette" | "keys" | "settings";

const NAME = "stepwell:overlay";

function open(overlay: Overlay): void {
  dispatchEvent(new CustomEvent<Overlay>(NAME, { detail: overlay }));
}

/** Opens the palette. */
export function openPalette(): void {
  open("palette");
}

/** Opens the keys of the page. */
export function openKeys(): void {
  open("keys");
}

/** Opens the settings. */
export function openSettings(): void {
  open("settings");
}

/** Calls `listener` whenever something is asked for, until the returned function is called. */
export function onOpen(listener: (overlay: Overlay) => void): () => void {
  const told = (event: Event) => {
    if (event instanceof CustomEvent) listener(event.detail as Overlay);
  };
  addEventListener(NAME, told);
  return () => removeEventListener(NAME, told);
}
