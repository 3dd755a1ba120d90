/** Where the inspector stands, and how large it may be. */

/** Right of the list and the graph, or below the timeline. */
export type Dock = "beside" | "below";

export const LIMITS: Readonly<Record<Dock, { readonly least: number; readonly usual: number }>> = {
  beside: { least: 360, usual: 460 },
  below: { least: 120, usual: 240 },
};
const SHARE_MAX = 0.6;

/** Returns a size that the inspector may have where there is so much room. */
export function clamped(dock: Dock, px: number, room: number): number {
  const most = Math.max(room * SHARE_MAX, LIMITS[dock].least);
  return Math.round(Math.min(Math.max(px, LIMITS[dock].least), most));
}

/** Returns the size that puts the edge under a pointer. */
export function sizeFrom(
  dock: Dock,
  pointer: { readonly clientX: number; readonly clientY: number },
  main: { readonly right: number; readonly bottom: number },
): number {
  return dock === "beside" ? main.right - pointer.clientX : main.bottom - pointer.clientY;
}
