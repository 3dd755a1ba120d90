/** Texts that code or people wrote: isolated, so that their direction turns nothing else, and never markup. */

import { Fragment, type ReactNode } from "react";
import type { Piece } from "../model/json.ts";
import { fullMoment, visible } from "../model/words.ts";

/** Shows a text of somebody's, control characters made visible. */
export function Foreign({ children }: { readonly children: string }): ReactNode {
  return <bdi>{visible(children)}</bdi>;
}

/** Shows a name that code gave: mono, and in full on hover. `found` is underlined in it. */
export function Name({
  children,
  found = "",
}: {
  readonly children: string;
  readonly found?: string;
}): ReactNode {
  const shown = visible(children);
  const at = found === "" ? -1 : shown.toLowerCase().indexOf(found.toLowerCase());
  return (
    <bdi className="name" title={shown}>
      {at < 0 ? (
        shown
      ) : (
        <>
          {shown.slice(0, at)}
          <u>{shown.slice(at, at + found.length)}</u>
          {shown.slice(at + found.length)}
        </>
      )}
    </bdi>
  );
}

/** Shows pieces of JSON in their two inks. */
export function Pieces({ pieces }: { readonly pieces: readonly Piece[] }): ReactNode {
  return (
    <bdi className="json">
      {pieces.map((piece, at) => {
        // Pieces have no names of their own, and never move.
        const key = `${at}`;
        if (piece.ink === "faint") return <Fragment key={key}>{piece.text}</Fragment>;
        return <b key={key}>{piece.text}</b>;
      })}
    </bdi>
  );
}

/** Shows an instant by `text`, with date and zone on hover. */
export function At({
  ms,
  children,
}: {
  readonly ms: number;
  readonly children: string;
}): ReactNode {
  return (
    <time dateTime={new Date(ms).toISOString()} title={fullMoment(ms)}>
      {children}
    </time>
  );
}
