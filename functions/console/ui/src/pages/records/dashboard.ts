// The page of a record in Stripe's dashboard, made from its kind, its id and the stack's mode, never from an
// address that stands in an object. Objects without a page of their own are shown there with what they are of.

import { dashboard } from "../../links.ts";
import { session } from "../../session/current.ts";
import { type AnyRecord, referenceIn } from "./record.ts";

/** Where Stripe's dashboard shows each of Stripe's objects. */
const FOLDERS: Partial<Record<string, string>> = {
  customer: "customers",
  subscription: "subscriptions",
  invoice: "invoices",
  payment_intent: "payments",
  charge: "payments",
  dispute: "disputes",
  payout: "payouts",
  product: "products",
  price: "prices",
  coupon: "coupons",
  credit_note: "credit_notes",
};

/** What an object is of, where it has no page of its own: the member that names it, and its folder. */
const WITHIN: Partial<Record<string, readonly (readonly [string, string])[]>> = {
  refund: [
    ["payment_intent", "payments"],
    ["charge", "payments"],
  ],
  invoice_payment: [["invoice", "invoices"]],
};

/** Its page, or that of what it is of; null where the dashboard has none that is known. */
export function dashboardPage(record: AnyRecord): string | null {
  const { mode } = session().config;
  if (record.account) return dashboard(mode, `connect/accounts/${record.account}`);
  const object = String(record.object.object ?? "");
  if (Object.hasOwn(FOLDERS, object)) return page(mode, FOLDERS[object], record.id);
  if (!Object.hasOwn(WITHIN, object)) return null;
  for (const [member, folder] of WITHIN[object] ?? []) {
    const id = referenceIn(record.object, member);
    if (id) return page(mode, folder, id);
  }
  return null;
}

/** An id may hold a slash, which `dashboard` would take for the end of a part. */
function page(mode: "test" | "live", folder: string | undefined, id: string): string | null {
  return folder && !id.includes("/") ? dashboard(mode, `${folder}/${id}`) : null;
}
