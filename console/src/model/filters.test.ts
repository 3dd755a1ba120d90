import { expect, test } from "vitest";
import {
  countOf,
  dropFilter,
  type Filters,
  filtersOf,
  isObservedOnly,
  listParametersOf,
  NO_FILTERS,
  parametersOf,
  putFilter,
  toggleStatus,
  withFilters,
  without,
  wordsOf,
} from "./filters.ts";

const read = (query: string): Filters => filtersOf(new URLSearchParams(query));

const ALL: Filters = {
  text: "card & co",
  statuses: ["blocked", "failed"],
  filters: [
    { field: "app", value: "shop" },
    { field: "workflow", value: "checkout" },
    { field: "id", value: "4QX3" },
    { field: "key", value: "order-7" },
    { field: "from", value: "7d" },
    { field: "to", value: "2026-11-22T08:00:00.000Z" },
    { field: "attribute", name: "orderId", op: "=", value: "ord_5fK2" },
    { field: "attribute", name: "amount", op: ">=", value: "10" },
    { field: "attribute", name: "amount", op: "<", value: "20" },
    { field: "attribute", name: "sign", op: "=", value: ">=5" },
  ],
};

test("filters come back from the address that they were written to", () => {
  expect(read(withFilters("", ALL))).toEqual(ALL);
});

test("an address says filters shortly", () => {
  const query = "?app=shop&wf=checkout&status=failed,blocked&from=7d&attr.orderId=ord_5fK2&q=text";
  expect(read(query)).toEqual({
    text: "text",
    statuses: ["blocked", "failed"],
    filters: [
      { field: "app", value: "shop" },
      { field: "workflow", value: "checkout" },
      { field: "from", value: "7d" },
      { field: "attribute", name: "orderId", op: "=", value: "ord_5fK2" },
    ],
  });
});

test("members of an address that are about something else are kept, and wrong ones passed over", () => {
  expect(withFilters("?later=1&app=old&attr.x=1", NO_FILTERS)).toBe("?later=1");
  expect(read("?status=nope&later=1&app=&attr.=3")).toEqual(NO_FILTERS);
});

test("the server is asked by its own names, with terms divided by commas", () => {
  expect(Object.fromEntries(parametersOf(ALL))).toEqual({
    app: "shop",
    workflow: "checkout",
    id: "4QX3",
    key: "order-7",
    from: "7d",
    to: "2026-11-22T08:00:00.000Z",
    status: "blocked,failed",
    q: "card & co",
    search: "orderId=ord_5fK2,amount>=10,amount<20,sign=>=5",
  });
});

test.each([
  ["12", "a=12"],
  ['"12"', 'a="12"'],
  ["x,y", 'a="x,y"'],
  ['say "x"', 'a="say \\"x\\""'],
  ["=1", 'a="=1"'],
])("the value %s of an attribute cannot be taken for two terms", (value, search) => {
  const filters: Filters = {
    ...NO_FILTERS,
    filters: [{ field: "attribute", name: "a", op: "=", value }],
  };
  expect(parametersOf(filters).get("search")).toBe(search);
});

test("a field has one value, an attribute one for each relation", () => {
  const shop = putFilter(NO_FILTERS, { field: "app", value: "shop" });
  expect(putFilter(shop, { field: "app", value: "bank" }).filters).toEqual([
    { field: "app", value: "bank" },
  ]);
  const low = putFilter(shop, { field: "attribute", name: "n", op: ">=", value: "1" });
  const both = putFilter(low, { field: "attribute", name: "n", op: "<", value: "9" });
  expect(both.filters).toHaveLength(3);
});

test("a filter that is edited keeps its place", () => {
  const [app] = ALL.filters;
  if (app === undefined) throw new Error("no filter");
  const edited = putFilter(ALL, { field: "parent", value: "run_1" }, app);
  expect(edited.filters[0]).toEqual({ field: "parent", value: "run_1" });
  expect(edited.filters).toHaveLength(ALL.filters.length);
  expect(dropFilter(ALL, app).filters).toEqual(ALL.filters.slice(1));
});

test("statuses are turned on and off, in one order", () => {
  const failed = toggleStatus(NO_FILTERS, "failed");
  expect(toggleStatus(failed, "blocked").statuses).toEqual(["blocked", "failed"]);
  expect(toggleStatus(failed, "failed").statuses).toEqual([]);
});

test("each filter can be taken away alone", () => {
  const all = without(ALL);
  expect(all).toHaveLength(countOf(ALL));
  expect(all.map(({ rest }) => countOf(rest))).toEqual(all.map(() => countOf(ALL) - 1));
});

test.each([
  [{ field: "from", value: "7d" }, "started last 7 days"],
  [{ field: "from", value: "1h" }, "started last 1 hour"],
  [{ field: "to", value: "30m" }, "started before 30 minutes ago"],
  [{ field: "to", value: "nonsense" }, "started before nonsense"],
  [{ field: "app", value: "shop" }, "app shop"],
  [{ field: "id", value: "4QX3" }, "id ends in 4QX3"],
  [{ field: "attribute", name: "amount", op: ">=", value: "10" }, "amount ≥ 10"],
] as const)("%o reads as %s", (filter, text) => {
  const { name, relation, value } = wordsOf(filter, Date.parse("2026-11-22T08:00:00Z"));
  expect([name, relation, value].filter((word) => word !== "").join(" ")).toBe(text);
});

test("both kinds of runs are listed where nothing is said; statuses that a kind has not are left out", () => {
  const list = (query: string) => Object.fromEntries(listParametersOf(read(query)));
  expect(list("")).toEqual({ kind: "all" });
  expect(list("?kind=observed&status=stuck")).toEqual({ kind: "observed", status: "stuck" });
  expect(list("?kind=durable&status=stuck,failed")).toEqual({ status: "failed" });
  expect(list("?kind=nonsense")).toEqual({ kind: "all" });
});

test("counts and acts are of durable runs, whatever kind is listed", () => {
  const both = read("?kind=observed&status=stuck,failed&app=shop");
  expect(Object.fromEntries(parametersOf(both))).toEqual({ status: "failed", app: "shop" });
  expect([isObservedOnly(both), isObservedOnly(read("?status=stuck"))]).toEqual([true, true]);
  expect(isObservedOnly(read("?status=stuck,failed"))).toBe(false);
});

test("the kind stands in the address, and can be taken away", () => {
  expect(withFilters("?later=1", read("?kind=observed"))).toBe("?later=1&kind=observed");
  expect(without(read("?kind=observed")).map(({ what }) => what)).toEqual(["kind"]);
  expect(countOf(read("?kind=observed&status=failed"))).toBe(2);
});
