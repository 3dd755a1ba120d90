/** Which workflows are deployed together. */

import { checkout, fraudCheck, refund } from "./checkout.ts";
import { catalogueSync, ledgerClose, payout, settlement, statement } from "./finance.ts";
import { hostile } from "./hostile.ts";
import { archiveOrders, renderPreviews, salesExport } from "./reports.ts";
import { app } from "./sdk.ts";
import {
  customs,
  delivery,
  orderImport,
  priceAudit,
  quote,
  renewal,
  stockCount,
  unloading,
} from "./store.ts";

/** Builds of the app `catalogue`: the later one does not fit what the earlier one began. */
export type Build = "2026.11.1" | "2026.11.2";

const shop = [
  checkout,
  fraudCheck,
  refund,
  orderImport,
  priceAudit,
  quote,
  renewal,
  delivery,
  customs,
  stockCount,
  unloading,
];

/** The apps by name, as a runner serves them. */
export function apps(build: Build) {
  return {
    shop: app("shop", { workflows: shop }),
    finance: app("finance", { workflows: [payout, ledgerClose, settlement, statement] }),
    reports: app("reports", { workflows: [salesExport] }),
    render: app("render", { workflows: [renderPreviews] }),
    archive: app("archive", { workflows: [archiveOrders] }),
    catalogue: app("catalogue", { workflows: [catalogueSync(build)] }),
    hostile: app("<i>hostile", { workflows: [hostile] }),
  } as const;
}

/** The name of an app of the workshop. */
export type AppName = keyof ReturnType<typeof apps>;

/** The runners' names, and how many runs each of them takes at once. */
export const RUNNERS: Readonly<Record<AppName, { readonly name: string; readonly slots: number }>> =
  {
    shop: { name: "shop-eu-1", slots: 400 },
    finance: { name: "finance-1", slots: 100 },
    reports: { name: "reports-1", slots: 20 },
    render: { name: "render-gpu", slots: 2 },
    archive: { name: "archive-night", slots: 10 },
    catalogue: { name: "catalogue-1", slots: 10 },
    hostile: { name: '"><script>window.__hit=1</script>', slots: 20 },
  };
