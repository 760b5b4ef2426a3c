// The words of the page in the language that is shown, and numbers and plurals in it.
import { en } from "./en.ts";

/** Text stays text, functions keep their arguments: what a file of another language has to have. */
type Loose<T> = T extends string
  ? string
  : T extends (...args: infer A) => string
    ? (...args: A) => string
    : { readonly [K in keyof T]: Loose<T[K]> };

export type Words = Loose<typeof en>;

export const words: Words = en;
