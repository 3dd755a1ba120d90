/** Says that a restored server holds its runs, and lets them go. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { ActDialog } from "../acts/act-dialog.tsx";
import { useActsOff } from "../acts/off.ts";
import { letRunsGo } from "../api/act.ts";
import { askHealth } from "../api/ask.ts";
import { onConnection } from "../live/stream.ts";
import { commandLine } from "../model/cli.ts";
import { type Health, type Restored, readHealth } from "../model/health.ts";
import { instant } from "../model/instants.ts";
import { moment } from "../model/words.ts";
import { ActButton } from "../ui/act-button.tsx";
import { Glyph } from "../ui/glyph.tsx";
import { At, Name } from "../ui/text.tsx";

const HEALTH = "health";
/** While runs are held it is asked again: somebody else may let them go. */
const EVERY_MS = 5000;
/** What is typed where the name of the backup is not known. */
const WORD = "let go";

/** Shows the banner while runs are held. */
export function HeldBanner(): ReactNode {
  const health = useHealth();
  const off = useActsOff()("letGo");
  const [isAsking, setAsking] = useState(false);
  if (health === null || (!health.isHeld && !isAsking)) return null;
  const { restored } = health;
  return (
    <>
      <section className="held hue-grey" aria-label="Runs are held">
        <Glyph status="paused" />
        <p>
          <strong>No run goes on: this server was restored</strong>
          {restored !== null && (
            <>
              {" from "}
              <Name>{restored.backup}</Name>, made <Taken restored={restored} />
            </>
          )}
          . Runs can be seen and cancelled; what starts is kept until they go.
        </p>
        <ActButton off={off} onAct={() => setAsking(true)}>
          Let the runs go
        </ActButton>
      </section>
      {isAsking && <LetGoDialog restored={restored} onClose={() => setAsking(false)} />}
    </>
  );
}

function Taken({ restored }: { readonly restored: Restored }): ReactNode {
  const at = instant(restored.takenAt);
  return <At ms={at}>{moment(at, Date.now())}</At>;
}

/** How the server is: asked for when the page begins and whenever the server is back. */
function useHealth(): Health | null {
  const client = useQueryClient();
  const { data } = useQuery({
    queryKey: [HEALTH],
    queryFn: async ({ signal }) => readHealth(await askHealth(signal)),
    refetchInterval: (query) => (query.state.data?.isHeld === true ? EVERY_MS : false),
  });
  useEffect(
    () =>
      onConnection(({ state }) => {
        if (state === "live") void client.invalidateQueries({ queryKey: [HEALTH] });
      }),
    [client],
  );
  return data ?? null;
}

function LetGoDialog(props: {
  readonly restored: Restored | null;
  readonly onClose: () => void;
}): ReactNode {
  const { restored, onClose } = props;
  const client = useQueryClient();
  return (
    <ActDialog
      deed="letGo"
      title="Let the runs go"
      lead="Runs are given to runners again, timers fire, and what was due meanwhile is done. This is for good."
      verb="Let the runs go"
      leave="Hold them"
      signature="none"
      typed={restored?.backup ?? WORD}
      line={() => commandLine(["resume"])}
      perform={async (_, signal) => {
        await letRunsGo(signal);
        await client.invalidateQueries();
        return null;
      }}
      onClose={onClose}
    >
      <p className="act-note">
        <strong>Stop the server that the backup is of first, for good.</strong> Two that work on the
        same runs do everything twice. Of what happened after the backup nothing is known here.
      </p>
    </ActDialog>
  );
}
