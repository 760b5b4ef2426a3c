// The event types, which `vite.config.ts` reads out of the sources of the functions.
declare module "virtual:event-types" {
  /** Every type that an endpoint can ask for. */
  export const known: readonly string[];
  /** Those that change a record: what an endpoint gets that asks for nothing else. */
  export const applied: readonly string[];
}
