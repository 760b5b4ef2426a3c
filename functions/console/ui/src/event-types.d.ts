// The event types and rights, which `vite.config.ts` reads out of the sources of the functions.
declare module "virtual:event-types" {
  /** Every type that an endpoint can ask for. */
  export const known: readonly string[];
  /** Those that change a record: what an endpoint gets that asks for nothing else. */
  export const applied: readonly string[];
  /** What Stripe calls the right to read each kind, and the rights of the API's settings that it gives. */
  export const readRights: readonly { permission: string; gives: readonly string[] }[];
}
