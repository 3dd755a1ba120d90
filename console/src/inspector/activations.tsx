/** Which runners held the run, and until when. */

import type { ReactNode } from "react";
import { instant } from "../model/instants.ts";
import type { Run } from "../model/run.ts";
import { clock, duration } from "../model/words.ts";
import { Foreign } from "../ui/text.tsx";

/** Shows the activations of a run, oldest first. */
export function Activations({ run }: { readonly run: Run }): ReactNode {
  return (
    <ol>
      {run.activations.map((held) => {
        const from = instant(held.at);
        const took = held.until === null ? "holds it" : duration(instant(held.until) - from);
        const version = held.version === null ? "" : `version ${held.version}`;
        const build = held.build === null ? "" : `build ${held.build}`;
        const words = [clock(from), took, held.until === null ? "" : held.end, version, build];
        return (
          <li className="attempt" key={held.epoch}>
            <h3>
              <strong>
                <Foreign>{held.runner}</Foreign>
              </strong>
              <span className="kind">
                <Foreign>{words.filter((word) => word !== "").join(", ")}</Foreign>
              </span>
              <span className="runner">{`epoch ${held.epoch}`}</span>
            </h3>
          </li>
        );
      })}
    </ol>
  );
}
