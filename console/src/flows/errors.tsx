/** What the steps of a flow threw, those that are the same as one, with the last run that each was thrown in. */

import type { ReactNode } from "react";
import { asAskError } from "../api/ask.ts";
import { flowsChanged, useLiveQuery } from "../api/live-query.ts";
import {
  type ErrorGroup,
  type FlowWindow,
  flowPath,
  readErrors,
  WINDOW_WORDS,
} from "../model/flows.ts";
import { instant } from "../model/instants.ts";
import { shortId } from "../model/observed-words.ts";
import { count, counted, shortMoment } from "../model/words.ts";
import { observedHref } from "../route.ts";
import { NoAnswer } from "../runs/states.tsx";
import { Link } from "../ui/link.tsx";
import { At, Foreign, Name } from "../ui/text.tsx";

interface ErrorsProps {
  readonly flow: string;
  readonly window: FlowWindow;
  /** Those of this step only. */
  readonly step: string | null;
  readonly onAll: () => void;
}

/** Shows the groups, the last thrown first. */
export function Errors({ flow, window, step, onAll }: ErrorsProps): ReactNode {
  const { data, error, refetch } = useLiveQuery({
    path: flowPath(flow, window, "/errors"),
    read: readErrors,
    when: flowsChanged,
    everyMs: 2000,
  });
  const shown = data?.filter((group) => step === null || group.step === step);
  return (
    <section aria-label="Errors">
      <h2>
        Errors
        {shown !== undefined && shown.length > 0 && (
          <span className="quiet">{`${counted(shown.length, "kind")} ${WINDOW_WORDS[window]}`}</span>
        )}
        {step !== null && (
          <button type="button" className="plain small" onClick={onAll}>
            Of all steps
          </button>
        )}
      </h2>
      {shown === undefined ? (
        error !== null && (
          <NoAnswer what="the errors" error={asAskError(error)} onAgain={() => void refetch()} />
        )
      ) : shown.length === 0 ? (
        <p className="quiet">
          {step === null ? "No call" : <>No call of {<Name>{step}</Name>}</>}
          {` threw anything ${WINDOW_WORDS[window]}.`}
        </p>
      ) : (
        <ErrorTable flow={flow} groups={shown} />
      )}
    </section>
  );
}

function ErrorTable(props: {
  readonly flow: string;
  readonly groups: readonly ErrorGroup[];
}): ReactNode {
  const { flow, groups } = props;
  return (
    <div className="rows-table errors-table">
      <table>
        <thead>
          <tr>
            <th scope="col">Error</th>
            <th scope="col">Step</th>
            <th scope="col" className="n">
              Calls
            </th>
            <th scope="col">Last seen</th>
            <th scope="col">Last run</th>
          </tr>
        </thead>
        <tbody>
          {groups.map((group) => (
            <ErrorRow key={group.fingerprint} flow={flow} group={group} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ErrorRow(props: { readonly flow: string; readonly group: ErrorGroup }): ReactNode {
  const { flow, group } = props;
  const last = instant(group.lastAt);
  const message = group.message.split("\n")[0] ?? "";
  const query = new URLSearchParams({ step: group.step, tab: "error" });
  return (
    <tr>
      <th scope="row" className="error-words" title={group.message}>
        <b className="in-hue hue-red">
          <Foreign>{group.name}</Foreign>
        </b>
        {message !== "" && (
          <span>
            {": "}
            <Foreign>{message}</Foreign>
          </span>
        )}
      </th>
      <td data-head="Step">
        <Name>{group.step}</Name>
      </td>
      <td data-head="Calls" className="n">
        {count(group.count)}
      </td>
      <td data-head="Last seen">
        <At ms={last}>{shortMoment(last, Date.now())}</At>
      </td>
      <td data-head="Last run">
        <Link
          href={`${observedHref(flow, group.lastRun)}?${query}`}
          className="mono"
          title={group.lastRun}
        >
          <Foreign>{shortId(group.lastRun)}</Foreign>
        </Link>
      </td>
    </tr>
  );
}
