// The addresses of the pages, as hashes. What is put into one is encoded here and nowhere else.

type Query = Record<string, string | number | null | undefined>;

function hash(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return `#${path}${text ? `?${text}` : ""}`;
}

const part = encodeURIComponent;

export const to = {
  overview: () => hash("/"),
  attention: () => hash("/attention"),
  records: (query?: Query) => hash("/records", query),
  kind: (kind: string, query?: Query) => hash(`/records/${part(kind)}`, query),
  record: (kind: string, id: string, account?: string | null) =>
    hash(`/records/${part(kind)}/${part(id)}`, { account }),
  events: (query?: Query) => hash("/events", query),
  event: (id: string) => hash(`/events/${part(id)}`),
  stripe: () => hash("/settings/stripe"),
  endpoints: () => hash("/settings/endpoints"),
  endpoint: (name: string) => hash(`/settings/endpoints/${part(name)}`),
  setup: () => hash("/setup"),
  audit: (query?: Query) => hash("/audit", query),
};

/** A page of Stripe's dashboard. Nothing else of others is ever linked to. */
export function dashboard(mode: "test" | "live", path: string): string {
  return `https://dashboard.stripe.com/${mode === "test" ? "test/" : ""}${path.split("/").map(part).join("/")}`;
}

/** An address that the API gave, if it is one of Stripe's dashboard. */
export function ifDashboard(address: string | null | undefined): string | null {
  return address?.startsWith("https://dashboard.stripe.com/") ? address : null;
}

/** Stripe's page for a new restricted key, with its name and rights already chosen; what it does not know it ignores. */
export function newRestrictedKey(
  mode: "test" | "live",
  name: string,
  permissions: readonly string[],
): string {
  const query = new URLSearchParams({ name });
  for (const permission of permissions) query.append("permissions[]", permission);
  return `${dashboard(mode, "apikeys/create")}?${query}`;
}
