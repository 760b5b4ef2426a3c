// What can stand between a person and the pages.

export type GateState =
  | { at: "leaving" }
  | { at: "signed_out" }
  | { at: "handed_over" }
  | { at: "no_role" }
  | { at: "problem"; problem: unknown };
