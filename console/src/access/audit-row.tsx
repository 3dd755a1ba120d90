/** One act of the audit log. */

import type { ReactNode } from "react";
import { type AuditRow, answerOf } from "../model/access.ts";
import { instant } from "../model/instants.ts";
import { shortMoment } from "../model/words.ts";
import { runHref, withQuery } from "../route.ts";
import { Glyph } from "../ui/glyph.tsx";
import { GridRow } from "../ui/grid-table.tsx";
import { Link } from "../ui/link.tsx";
import { At, Foreign, Name } from "../ui/text.tsx";

/** Begins the ids of rows. */
export const NAME = "audit-row";

interface AuditLineProps {
  readonly act: AuditRow;
  readonly href: string;
  readonly index: number;
  readonly height: number;
  readonly narrow: boolean;
  readonly isCurrent: boolean;
}

/** Returns the address that shows all of an act, over the list as it is narrowed. */
export function rowHref({ n }: AuditRow): string {
  return `/access/audit${withQuery(location.search, { n: String(n) })}`;
}

/** Shows the row. */
export function AuditLine(props: AuditLineProps): ReactNode {
  const { act, narrow } = props;
  return (
    <GridRow
      id={String(act.n)}
      name={NAME}
      index={props.index}
      height={props.height}
      className={narrow ? "card" : ""}
      isCurrent={props.isCurrent}
      href={props.href}
    >
      {narrow ? <Card act={act} href={props.href} /> : <Cells act={act} href={props.href} />}
    </GridRow>
  );
}

interface CellsProps {
  readonly act: AuditRow;
  readonly href: string;
}

function Cells({ act, href }: CellsProps): ReactNode {
  return (
    <>
      <td className="quiet-2">
        <When act={act} />
      </td>
      <td>
        <Who act={act} />
      </td>
      <td>
        <What act={act} href={href} />
      </td>
      <td>
        <On object={act.object} />
      </td>
      <td className="quiet-2">{act.reason !== null && <Foreign>{act.reason}</Foreign>}</td>
      <td className="quiet-2">
        <Foreign>{act.namespace}</Foreign>
      </td>
      <td>
        <Answer act={act} />
      </td>
    </>
  );
}

function Card({ act, href }: CellsProps): ReactNode {
  return (
    <td>
      <span className="card-line">
        <span className="run-name">
          <What act={act} href={href} />
        </span>
        <span className="run-took">
          <When act={act} />
        </span>
      </span>
      <span className="card-line">
        <span className="run-doing">
          <Who act={act} />
          {act.object !== "" && (
            <>
              {" on "}
              <Foreign>{act.object}</Foreign>
            </>
          )}
        </span>
        <Answer act={act} />
      </span>
    </td>
  );
}

function When({ act }: { readonly act: AuditRow }): ReactNode {
  const at = instant(act.at);
  return <At ms={at}>{shortMoment(at, Date.now())}</At>;
}

function Who({ act }: { readonly act: AuditRow }): ReactNode {
  return <Foreign>{act.keyName}</Foreign>;
}

function What({ act, href }: CellsProps): ReactNode {
  return (
    <Link href={href} className="event-link">
      <Name>{act.act}</Name>
    </Link>
  );
}

/** What an act was done to: a run leads to its page. */
export function On({ object }: { readonly object: string }): ReactNode {
  const name = <Name>{object}</Name>;
  return /^run_[0-9a-f]{32}$/.test(object) ? <Link href={runHref(object)}>{name}</Link> : name;
}

/** What came of an act: done is quiet, as all success is. */
export function Answer({ act }: { readonly act: AuditRow }): ReactNode {
  const { status, words } = answerOf(act);
  return (
    <span className="audit-answer">
      <Glyph status={status} size={14} />
      <span className={status === "completed" ? "quiet-2" : undefined}>
        <Foreign>{words}</Foreign>
      </span>
    </span>
  );
}
