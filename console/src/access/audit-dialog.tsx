/** All that the audit log says of one act. */

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { asAskError, ask } from "../api/ask.ts";
import { type AuditRow, answerOf, readAudit } from "../model/access.ts";
import { instant } from "../model/instants.ts";
import { fullMoment } from "../model/words.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Fact } from "../ui/fact.tsx";
import { At, Foreign, Name } from "../ui/text.tsx";
import { Answer, On } from "./audit-row.tsx";
import { ACCESS } from "./queries.ts";

const NEAR = 100;

/** Shows the row `n`: one of those that are known, else it is asked for. */
export function AuditDialog(props: {
  readonly n: number;
  readonly known: readonly AuditRow[];
  readonly onClose: () => void;
}): ReactNode {
  const { n, onClose } = props;
  const known = props.known.find((one) => one.n === n);
  const { data, error } = useQuery({
    queryKey: [ACCESS, "audit", n],
    queryFn: async ({ signal }) => {
      const path = `/audit?order=oldest&limit=${NEAR}&after=${n - 1}`;
      const { rows } = readAudit(await ask(path, signal));
      // What came of it stands soon after that it was asked for.
      return rows.find(({ of }) => of === n) ?? rows.find((row) => row.n === n) ?? null;
    },
    enabled: known === undefined,
  });
  const act = known ?? data;
  return (
    <Dialog
      title={act ? <Name>{act.act}</Name> : `Row ${n}`}
      onClose={onClose}
      foot={
        <button type="button" onClick={onClose}>
          Close
        </button>
      }
    >
      {act ? (
        <All act={act} />
      ) : error !== null ? (
        <p role="alert">{`Could not read it: ${asAskError(error).message}.`}</p>
      ) : (
        act === null && <p>There is no such row, or it is of another namespace.</p>
      )}
    </Dialog>
  );
}

function All({ act }: { readonly act: AuditRow }): ReactNode {
  const at = instant(act.at);
  return (
    <dl className="evidence audit-facts">
      <Fact name="When">
        <At ms={at}>{fullMoment(at)}</At>
      </Fact>
      <Fact name="Who">
        <Foreign>{act.keyName}</Foreign> {act.key !== null && <Name>{act.key}</Name>}
        {act.from !== "" && (
          <>
            {" from "}
            <Name>{act.from}</Name>
          </>
        )}
      </Fact>
      <Fact name="On">{act.object === "" ? "–" : <On object={act.object} />}</Fact>
      <Fact name="Why">
        {act.reason === null ? "no reason was given" : <Foreign>{act.reason}</Foreign>}
      </Fact>
      <Fact name="Namespace">
        <Foreign>{act.namespace}</Foreign>
      </Fact>
      <Fact name="Answer">
        <AnswerInFull act={act} />
      </Fact>
      <Fact name="Rows">{act.of === null ? act.n : `${act.of} asked, ${act.n} answered`}</Fact>
      <Fact name="Hash">
        <Name>{act.hash}</Name>
      </Fact>
    </dl>
  );
}

function AnswerInFull({ act }: { readonly act: AuditRow }): ReactNode {
  return (
    <>
      <Answer act={act} />
      {answerOf(act).status === "unknown" &&
        "; it is being done, or the server ended before it was: look at what it acted on"}
    </>
  );
}
