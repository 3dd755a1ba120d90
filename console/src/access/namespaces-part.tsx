/** Namespaces: made, listed, deleted by who administers the server. */

import type { ReactNode } from "react";
import { useActsOff } from "../acts/off.ts";
import { asAskError } from "../api/ask.ts";
import { useWhyNot } from "../api/session.ts";
import type { NamespaceRow } from "../model/access.ts";
import { instant } from "../model/instants.ts";
import { count, counted, shortMoment } from "../model/words.ts";
import { goQuery, useQuery } from "../route.ts";
import { Loading, NoAnswer } from "../runs/states.tsx";
import { ActButton, unlessOff } from "../ui/act-button.tsx";
import { useKeys } from "../ui/keys.ts";
import { Link } from "../ui/link.tsx";
import { At, Foreign } from "../ui/text.tsx";
import { DeleteNamespaceDialog, MakeNamespaceDialog } from "./namespace-dialogs.tsx";
import { PartFrame } from "./part-frame.tsx";
import { useNamespaces } from "./queries.ts";

/** The one that is always there. */
const DEFAULT = "default";

const close = () => goQuery({ act: null, of: null }, "replace");
const make = () => goQuery({ act: "make" });

/** Shows the part. */
export function NamespacesPart(): ReactNode {
  const { data, error, refetch, dataUpdatedAt } = useNamespaces(useWhyNot()("namespaces") === null);
  const off = useActsOff()("namespaces");
  useKeys({ n: unlessOff(off, make) });
  return (
    <PartFrame
      part="namespaces"
      deed="namespaces"
      count={data === undefined ? "" : counted(data.length, "namespace")}
      readAt={dataUpdatedAt}
      controls={
        <ActButton className="filled at-end" keys="n" off={off} onAct={make}>
          Make a namespace <kbd>N</kbd>
        </ActButton>
      }
    >
      {data !== undefined ? (
        <NamespacesTable namespaces={data} off={off} />
      ) : error !== null ? (
        <NoAnswer what="the namespaces" error={asAskError(error)} onAgain={() => void refetch()} />
      ) : (
        <Loading rows={4} />
      )}
      <Dialogs namespaces={data ?? []} />
    </PartFrame>
  );
}

function Dialogs({ namespaces }: { readonly namespaces: readonly NamespaceRow[] }): ReactNode {
  const query = useQuery();
  const act = query.get("act");
  const of = query.get("of");
  if (act === "make") return <MakeNamespaceDialog onClose={close} />;
  const isThere = of !== DEFAULT && namespaces.some(({ name }) => name === of);
  if (act !== "delete" || of === null || !isThere) return null;
  return <DeleteNamespaceDialog name={of} onClose={close} />;
}

function NamespacesTable(props: {
  readonly namespaces: readonly NamespaceRow[];
  readonly off: string | null;
}): ReactNode {
  return (
    <div className="rows-table namespaces-table">
      <table>
        <thead>
          <tr>
            {["Namespace", "Live keys", "Made", "State"].map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
            <th scope="col">
              <span className="hidden">Acts</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {props.namespaces.map((one) => (
            <NamespaceLine key={one.name} of={one} off={props.off} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function NamespaceLine(props: {
  readonly of: NamespaceRow;
  readonly off: string | null;
}): ReactNode {
  const { of, off } = props;
  const made = instant(of.createdAt);
  // A namespace that is being closed can be closed again: what is over by then is forgotten.
  const why = of.name === DEFAULT ? "The namespace default is always there." : off;
  return (
    <tr className={of.closedAt === null ? undefined : "over"}>
      <th scope="row">
        <b>
          <Foreign>{of.name}</Foreign>
        </b>
      </th>
      <td data-head="Live keys">
        <Link href={`/access?q=${encodeURIComponent(of.name)}`} title="Keys of this namespace">
          {count(of.keys)}
        </Link>
      </td>
      <td data-head="Made">
        <span className="key-made">
          <At ms={made}>{shortMoment(made, Date.now())}</At> by <Foreign>{of.createdBy}</Foreign>
        </span>
      </td>
      <td data-head="State">{of.closedAt === null ? "open" : <Closed at={of.closedAt} />}</td>
      <td className="row-acts">
        <ActButton off={why} onAct={() => goQuery({ act: "delete", of: of.name })}>
          Delete
          <span className="hidden">
            {" "}
            <Foreign>{of.name}</Foreign>
          </span>
        </ActButton>
      </td>
    </tr>
  );
}

function Closed({ at }: { readonly at: string }): ReactNode {
  const ms = instant(at);
  return (
    <>
      closed <At ms={ms}>{shortMoment(ms, Date.now())}</At>, until nothing of it is stored
    </>
  );
}
