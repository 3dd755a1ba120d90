/** Keys: who may do what, until when, and when they last did something. */

import { type ReactNode, useRef, useState } from "react";
import { useActsOff } from "../acts/off.ts";
import { asAskError } from "../api/ask.ts";
import { useWhyNot } from "../api/session.ts";
import { type KeyRow, keyHas, type MadeKey } from "../model/access.ts";
import { instant } from "../model/instants.ts";
import { counted, shortMoment } from "../model/words.ts";
import { goQuery, useQuery } from "../route.ts";
import { Loading, NoAnswer } from "../runs/states.tsx";
import { ActButton, unlessOff } from "../ui/act-button.tsx";
import { useKeys } from "../ui/keys.ts";
import { Link } from "../ui/link.tsx";
import { SearchField } from "../ui/search-field.tsx";
import { At, Foreign } from "../ui/text.tsx";
import { MakeKeyDialog, RevokeKeyDialog, RotateKeyDialog } from "./key-dialogs.tsx";
import { MadeKeyDialog } from "./made-key.tsx";
import { PartFrame } from "./part-frame.tsx";
import { useKeyList } from "./queries.ts";

const close = () => goQuery({ act: null, of: null }, "replace");
const make = () => goQuery({ act: "make" });

/** Shows the part. */
export function KeysPart(): ReactNode {
  const query = useQuery();
  const text = query.get("q") ?? "";
  const { data, error, refetch, dataUpdatedAt } = useKeyList(useWhyNot()("keys") === null);
  const [made, setMade] = useState<MadeKey | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const off = useActsOff()("keys");
  useKeys({ "/": () => field.current?.focus(), n: unlessOff(off, make) });
  const found = data?.filter((key) => keyHas(key, text));
  return (
    <PartFrame
      part="keys"
      deed="keys"
      count={data === undefined ? "" : counted(data.length, "key")}
      readAt={dataUpdatedAt}
      controls={
        <>
          <SearchField
            field={field}
            text={text}
            onText={(q) => goQuery({ q: q === "" ? null : q }, "replace")}
            placeholder="Name, id, role or namespace"
            label="Filter keys"
          />
          <ActButton className="filled" keys="n" off={off} onAct={make}>
            Make a key <kbd>N</kbd>
          </ActButton>
        </>
      }
    >
      {found !== undefined ? (
        <KeysTable keys={found} text={text} off={off} />
      ) : error !== null ? (
        <NoAnswer what="the keys" error={asAskError(error)} onAgain={() => void refetch()} />
      ) : (
        <Loading rows={6} />
      )}
      <Dialogs keys={data ?? []} onMade={setMade} />
      {made !== null && <MadeKeyDialog made={made} onClose={() => setMade(null)} />}
    </PartFrame>
  );
}

/** The dialog that the address asks for. */
function Dialogs(props: {
  readonly keys: readonly KeyRow[];
  readonly onMade: (made: MadeKey) => void;
}): ReactNode {
  const query = useQuery();
  const act = query.get("act");
  const of = props.keys.find(({ id }) => id === query.get("of"));
  if (act === "make") return <MakeKeyDialog onMade={props.onMade} onClose={close} />;
  if (of === undefined) return null;
  if (act === "rotate") return <RotateKeyDialog of={of} onMade={props.onMade} onClose={close} />;
  return act === "revoke" ? <RevokeKeyDialog of={of} onClose={close} /> : null;
}

const HEADS = ["Key", "Role", "Namespace", "Made", "Ends", "Last used"] as const;

function KeysTable(props: {
  readonly keys: readonly KeyRow[];
  readonly text: string;
  readonly off: string | null;
}): ReactNode {
  const { keys, text, off } = props;
  if (keys.length === 0) {
    return (
      <div className="teach">
        <h2>{text === "" ? "There is no key yet." : "No key has this text."}</h2>
        {text === "" && (
          <p className="quiet-2">Programs and people show one, where this server asks for keys.</p>
        )}
      </div>
    );
  }
  return (
    <div className="rows-table keys-table">
      <table>
        <thead>
          <tr>
            {HEADS.map((head) => (
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
          {keys.map((key) => (
            <KeyLine key={key.id} of={key} off={off} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function KeyLine({ of, off }: { readonly of: KeyRow; readonly off: string | null }): ReactNode {
  const isOver = of.state !== "live";
  return (
    <tr className={isOver ? "over" : undefined}>
      <th scope="row">
        <b>
          <Foreign>{of.name}</Foreign>
        </b>{" "}
        <Link
          href={`/access/audit?key=${encodeURIComponent(of.id)}`}
          className="mono"
          title="What was done with this key"
        >
          {of.id}
        </Link>
      </th>
      <td data-head="Role">
        <Foreign>{of.role}</Foreign>
      </td>
      <td data-head="Namespace">
        <Foreign>{of.namespace}</Foreign>
      </td>
      <td data-head="Made">
        <span className="key-made">
          <Moment at={of.createdAt} /> by <Foreign>{of.createdBy}</Foreign>
        </span>
      </td>
      <td data-head="Ends">
        <Ends of={of} />
      </td>
      <td data-head="Last used">
        {of.lastUsedAt === null ? "never" : <Moment at={of.lastUsedAt} />}
      </td>
      <td className="row-acts">{!isOver && <KeyActs of={of} off={off} />}</td>
    </tr>
  );
}

function Moment({ at }: { readonly at: string }): ReactNode {
  const ms = instant(at);
  return <At ms={ms}>{shortMoment(ms, Date.now())}</At>;
}

/** When it ends, or how it did; and until when the key before is taken beside it. */
function Ends({ of }: { readonly of: KeyRow }): ReactNode {
  if (of.revokedAt !== null) {
    return (
      <>
        revoked <Moment at={of.revokedAt} />
      </>
    );
  }
  return (
    <>
      {of.expiresAt === null ? (
        "never"
      ) : (
        <>
          {of.state === "expired" && "expired "}
          <Moment at={of.expiresAt} />
        </>
      )}
      {of.previousUntil !== null && (
        <span className="quiet">
          ; the one before <Moment at={of.previousUntil} />
        </span>
      )}
    </>
  );
}

function KeyActs({ of, off }: { readonly of: KeyRow; readonly off: string | null }): ReactNode {
  const open = (act: string) => () => goQuery({ act, of: of.id });
  return (
    <>
      <ActButton off={off} onAct={open("rotate")}>
        Rotate
        <span className="hidden">
          {" "}
          <Foreign>{of.name}</Foreign>
        </span>
      </ActButton>
      <ActButton off={off} onAct={open("revoke")}>
        Revoke
        <span className="hidden">
          {" "}
          <Foreign>{of.name}</Foreign>
        </span>
      </ActButton>
    </>
  );
}
