/** The acts at the right of the title: three of them, and the others behind a menu. */

import type { ReactNode } from "react";
import { openAct } from "../acts/acts.tsx";
import { useActsOff } from "../acts/off.ts";
import { type ActName, actKey, actWord, type Offer, offersOf } from "../model/offers.ts";
import type { Deed } from "../model/rights.ts";
import type { Run } from "../model/run.ts";
import { go, logHref } from "../route.ts";
import { ActButton, unlessOff } from "../ui/act-button.tsx";
import { downloadFrom } from "../ui/download.tsx";
import { Icon } from "../ui/icon.tsx";
import { type Keys, useKeys } from "../ui/keys.ts";
import { Menu } from "../ui/menu.tsx";
import { Foreign } from "../ui/text.tsx";

const SHOWN = 3;
/** What cannot be taken back is not a button beside others. */
const BEHIND: ReadonlySet<ActName> = new Set(["terminate", "delete"]);

/** Shows the acts that the run offers, and listens for their keys. */
export function RunActs({ run }: { readonly run: Run }): ReactNode {
  const whyOff = useActsOff();
  const offers = offersOf(run);
  const shown = offers.filter(({ act }) => !BEHIND.has(act)).slice(0, SHOWN);
  useKeys(keysOf(offers, whyOff));
  const copy = (text: string) => void navigator.clipboard.writeText(text);
  return (
    <div className="run-acts">
      {shown.map((offer) => (
        <ActButton
          key={`${offer.act} ${offer.step}`}
          off={whyOff(offer.act)}
          keys={actKey(offer.act) ?? undefined}
          onAct={() => openAct(offer)}
        >
          <Foreign>{actWord(run, offer)}</Foreign>
          <KeyHint offer={offer} />
        </ActButton>
      ))}
      <Menu
        label="More acts"
        items={[
          ...offers
            .filter((offer) => !shown.includes(offer))
            .map((offer) => ({
              name: actWord(run, offer),
              keys: shownKey(offer) ?? undefined,
              off: whyOff(offer.act),
              onChoose: () => openAct(offer),
            })),
          { name: "Event log", onChoose: () => go(logHref(run.id)) },
          {
            name: "Export",
            off: whyOff("export"),
            onChoose: () => downloadFrom(exportAddress(run.id), `${run.id}.jsonl`),
          },
          { name: "Copy id", keys: "Y", onChoose: () => copy(run.id) },
          { name: "Copy link", keys: "⇧Y", onChoose: () => copy(location.href) },
        ]}
      >
        <Icon name="more" />
      </Menu>
    </div>
  );
}

function exportAddress(run: string): string {
  return `/api/v1/runs/${encodeURIComponent(run)}/export`;
}

function KeyHint({ offer }: { readonly offer: Offer }): ReactNode {
  const key = shownKey(offer);
  return key === null ? null : <kbd>{key}</kbd>;
}

/** Writes the key of an act as keyboards show it. */
export function shownKey(offer: Offer): string | null {
  return actKey(offer.act)?.replace("Shift+", "⇧").toUpperCase() ?? null;
}

function keysOf(offers: readonly Offer[], whyOff: (deed: Deed) => string | null): Keys {
  return Object.fromEntries(
    offers.flatMap((offer) => {
      const key = actKey(offer.act);
      if (key === null) return [];
      return [[key, unlessOff(whyOff(offer.act), () => openAct(offer))] as const];
    }),
  );
}
