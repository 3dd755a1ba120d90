/** Icons of controls, in ink: they say nothing of a run. */

import type { ReactNode } from "react";

const PATHS = {
  copy: "M5.5 5.5v-3h8v8h-3m-8-5h8v8h-8z",
  done: "m2.8 8.6 3.4 3.4 7-7.8",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9Zm3.4-1.1L14 14",
  list: "M2 3.5h1m-1 4.5h1m-1 4.5h1M6 3.5h8M6 8h8m-8 4.5h8",
  graph: "M5.5 2h5v3.5h-5zM1.5 10.5h5V14h-5zm8 0h5V14h-5zM8 5.5V8M4 10.5V8h8v2.5",
  timeline: "M2 3.5h5m-2 4.5h6m-2 4.5h5",
  close: "m3.5 3.5 9 9m0-9-9 9",
  back: "M10 2.5 4.5 8l5.5 5.5",
  down: "m4 6.5 4 4 4-4",
  up: "m4 9.5 4-4 4 4",
  download: "M8 2v8m-3.5-3L8 10.5 11.5 7M2.5 13.5h11",
  right: "m6 4 4 4-4 4",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1v1.5m0 11V15M1 8h1.5m11 0H15M3 3l1 1m8 8 1 1M3 13l1-1m8-8 1-1",
  moon: "M13 9.6A5.6 5.6 0 0 1 6.4 3a5.6 5.6 0 1 0 6.6 6.6Z",
  system: "M2 3h12v8H2zm4 10.5h4M8 11v2.5",
  again: "M13.2 8.6A5.3 5.3 0 1 1 11.6 4.2M13.4 1.9v3.4h-3.4",
  person:
    "M8 8.2a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8ZM2.6 14c.5-2.6 2.7-3.8 5.4-3.8s4.9 1.2 5.4 3.8",
  observed:
    "M1.4 8s2.4-4.2 6.6-4.2S14.6 8 14.6 8s-2.4 4.2-6.6 4.2S1.4 8 1.4 8Zm6.6 1.9a1.9 1.9 0 1 0 0-3.8 1.9 1.9 0 0 0 0 3.8Z",
  more: "M3.2 7.3v1.4M8 7.3v1.4m4.8-1.4v1.4",
  keys: "M1.5 4h13v8h-13zM4 6.7h.1m2.5 0h.1m2.6 0h.1m2.5 0h.1M5 9.5h6",
} as const;

export type IconName = keyof typeof PATHS;

/** Shows an icon. What it does is said by the control that it is in. */
export function Icon({
  name,
  size = 14,
}: {
  readonly name: IconName;
  readonly size?: number;
}): ReactNode {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark of Stepwell: steps that go down to the water and up again. */
export function Mark(): ReactNode {
  return (
    <svg className="mark" width="20" height="16" viewBox="0 0 20 16" aria-hidden="true">
      <path d="M0 2h4v4h3.4v4h5.2V6H16V2h4M0 15h20" />
    </svg>
  );
}

/** The notch: the console's sign for folded time. */
export function Notch(): ReactNode {
  return (
    <svg className="notch" width="46" height="12" viewBox="0 0 46 12" aria-hidden="true">
      <path d="M0 2h8v4h6v4h18V6h6V2h8" />
    </svg>
  );
}
