/** What can be done about one step, for the head of the inspector. */

import type { ReactNode } from "react";
import { type Offer, stepOffers } from "../model/offers.ts";
import type { Run, Step } from "../model/run.ts";
import { ActButton } from "../ui/act-button.tsx";
import { openAct } from "./acts.tsx";
import { useActsOff } from "./off.ts";

const WORDS: Readonly<Partial<Record<Offer["act"], string>>> = {
  fork: "Fork from here",
  retry: "Retry now",
  resolve: "Resolve",
  send: "Send this event",
};

/** Shows the acts that fit a step. */
export function StepActs({ run, step }: { readonly run: Run; readonly step: Step }): ReactNode {
  const whyOff = useActsOff();
  return (
    <span className="step-acts">
      {stepOffers(run, step).map((offer) => (
        <ActButton
          key={offer.act}
          className="plain"
          off={whyOff(offer.act)}
          onAct={() => openAct(offer)}
        >
          {WORDS[offer.act] ?? offer.act}
        </ActButton>
      ))}
    </span>
  );
}
