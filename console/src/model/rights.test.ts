import { describe, expect, it } from "vitest";
import { type Deed, isSame, type Me, may, readMe, whyNot } from "./rights.ts";
import { meAs } from "./testing.ts";

const DEEDS: readonly Deed[] = ["read", "start", "send", "cancel", "pause", "bulk", "keys"];
const mayDo = (me: Me) => DEEDS.filter((deed) => may(me, deed));

describe("rights", () => {
  it("are those that the server tells, whatever the role is called", () => {
    const me = readMe({
      access: "keys",
      namespace: "acme",
      role: "auditor",
      key: { id: "abc", name: "ci" },
      rights: ["any", "read"],
    });
    expect(mayDo(me)).toEqual(["read"]);
    expect(me.key).toEqual({ id: "abc", name: "ci" });
  });

  it("are told as what a role lacks", () => {
    expect(whyNot(meAs("viewer"), "pause")).toBe(
      "Your key has the role viewer; pausing needs operator.",
    );
    expect(whyNot(meAs("viewer"), "cancel")).toBe(
      "Your key has the role viewer; cancelling needs client or operator.",
    );
    expect(whyNot(meAs("operator"), "keys")).toContain("managing keys needs admin.");
    expect(whyNot(meAs("operator"), "pause")).toBe(null);
  });

  it("grow from viewer to admin", () => {
    expect(mayDo(meAs("worker"))).toEqual([]);
    expect(mayDo(meAs("viewer"))).toEqual(["read"]);
    expect(mayDo(meAs("client"))).toEqual(["read", "start", "send", "cancel"]);
    expect(mayDo(meAs("operator"))).toEqual(DEEDS.slice(0, -1));
    expect(mayDo(meAs("admin"))).toEqual(DEEDS);
    expect(may(meAs("admin"), "namespaces")).toBe(true);
    expect(may(meAs("admin", "acme"), "namespaces")).toBe(false);
  });

  it("refuses an answer that does not say who somebody is", () => {
    for (const answer of [null, {}, { access: "open" }, { access: "keys", rights: "all" }]) {
      expect(() => readMe(answer)).toThrow(/who you are/);
    }
  });

  it("tells people apart by key, role and namespace", () => {
    expect(isSame(meAs("viewer"), meAs("viewer"))).toBe(true);
    expect(isSame(meAs("viewer"), meAs("client"))).toBe(false);
    expect(isSame(meAs("viewer"), meAs("viewer", "acme"))).toBe(false);
  });
});
