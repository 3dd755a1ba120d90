/** Keys, namespaces and the audit log: who may do what, and who did. */

import type { ReactNode } from "react";
import type { AccessPart } from "../route.ts";
import { AuditPart } from "./audit-part.tsx";
import { KeysPart } from "./keys-part.tsx";
import { NamespacesPart } from "./namespaces-part.tsx";

/** Shows one part of the page. */
export function AccessPage({ part }: { readonly part: AccessPart }): ReactNode {
  switch (part) {
    case "keys":
      return <KeysPart />;
    case "namespaces":
      return <NamespacesPart />;
    case "audit":
      return <AuditPart />;
  }
}
