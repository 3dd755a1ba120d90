/** The act that the address asks for: a link opens its dialog, and never does it. */

import { type ReactNode, useEffect, useMemo } from "react";
import { formatJson } from "../model/json-text.ts";
import { ACTS, type ActName, isOffered, type Offer } from "../model/offers.ts";
import type { Run } from "../model/run.ts";
import { openWaits } from "../model/waits.ts";
import { goQuery, useQuery } from "../route.ts";
import { useDialect } from "../ui/dialect.ts";
import { useNow } from "../ui/now.ts";
import { DeleteDialog } from "./delete-dialog.tsx";
import { ForkDialog } from "./fork-dialog.tsx";
import { PlainActDialog } from "./plain-acts.tsx";
import { RerunDialog } from "./rerun-dialog.tsx";
import { ResolveDialog } from "./resolve-dialog.tsx";
import { SendEventDialog } from "./send-event-dialog.tsx";
import { overWords } from "./words.tsx";

/** Opens the dialog of an act. */
export function openAct({ act, step }: Offer): void {
  goQuery({ act, ...(step !== null && { step, many: null, about: null }) });
}

/** Shows the dialog of the act that the address names, if it names one. */
export function Acts({ run }: { readonly run: Run }): ReactNode {
  const query = useQuery();
  const wanted = query.get("act");
  const act = ACTS.find((one) => one === wanted) ?? null;
  if (act === null) return null;
  return <ActOf key={act} run={run} act={act} step={query.get("step")} />;
}

const close = () => goQuery({ act: null }, "replace");

function ActOf(props: {
  readonly run: Run;
  readonly act: ActName;
  readonly step: string | null;
}): ReactNode {
  const { run, act, step } = props;
  const now = useNow(isOffered(run, act, step) ? null : 1000);
  const over = overWords(run, [act, step], now, useDialect());
  const about = run.steps.find((one) => one.id === step);
  switch (act) {
    case "fork":
      return <ForkDialog run={run} step={step} over={over} onClose={close} />;
    case "delete":
      return <DeleteDialog run={run} over={over} onClose={close} />;
    case "rerun":
      return <RerunDialog run={run} over={over} onClose={close} />;
    case "send":
      return <SendToWait run={run} step={step} over={over} />;
    case "resolve":
      return about === undefined ? (
        <Gone />
      ) : (
        <ResolveDialog run={run} step={about} over={over} onClose={close} />
      );
    default:
      return <PlainActDialog run={run} act={act} over={over} onClose={close} />;
  }
}

function SendToWait(props: {
  readonly run: Run;
  readonly step: string | null;
  readonly over: string | null;
}): ReactNode {
  const { run, step, over } = props;
  const waits = useMemo(() => openWaits(run), [run]);
  const wait = waits.find((one) => one.step === step) ?? waits[0];
  const match = wait?.match === undefined ? null : formatJson(wait.match);
  return (
    <SendEventDialog
      initial={{
        run: run.id,
        waits,
        event: wait?.event ?? "",
        data: match ?? "{}",
        match: match ?? "",
      }}
      over={over}
      onClose={close}
    />
  );
}

/** Leaves an act on a step that the run does not have. */
function Gone(): ReactNode {
  useEffect(close, []);
  return null;
}
