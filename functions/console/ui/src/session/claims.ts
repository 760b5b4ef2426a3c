// What the ID token says of the person. The API checks its signature; here it only decides what is shown.

/** The claims that the page uses. */
export interface Claims {
  sub: string;
  aud: string | string[];
  iss: string;
  exp: number;
  email?: string;
  name?: string;
  [claim: string]: unknown;
}

/** What somebody may do. */
export type Role = "admin" | "viewer" | "none";

/** Reads the claims of a token; null where it is none. */
export function claimsOf(token: string): Claims | null {
  try {
    const part = token.split(".")[1] ?? "";
    const bytes = Uint8Array.from(atob(part.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as Claims;
    return typeof claims.sub === "string" && typeof claims.exp === "number" ? claims : null;
  } catch {
    return null;
  }
}

/** The groups in a claim: a list, or a text with spaces or commas between them. */
export function groupsIn(claim: unknown): string[] {
  if (Array.isArray(claim)) return claim.filter((group) => typeof group === "string");
  if (typeof claim !== "string") return [];
  return claim
    .replace(/^\[|\]$/g, "")
    .split(/[\s,]+/)
    .filter(Boolean);
}

/** The role that the groups of a token give. */
export function roleOf(
  claims: Claims,
  config: { groups_claim: string; admin_group: string; viewer_group: string },
): Role {
  const groups = groupsIn(claims[config.groups_claim]);
  if (groups.includes(config.admin_group)) return "admin";
  return groups.includes(config.viewer_group) ? "viewer" : "none";
}

/** Whom the page greets. */
export function nameOf(claims: Claims): string {
  return claims.email ?? claims.name ?? claims.sub;
}
