// Which event types patterns name, and the shortest patterns for a choice of types.
import { grouped, groupOf, matches, wildcards } from "../../format/event-types.ts";
import { appliedEventTypes as applied, stripeEventTypes as known } from "../../format/stripe-event-types.ts";

export { applied, known };

const changing = new Set(applied);

/** Whether events of a type change a record. */
export const changesRecord = (type: string) => changing.has(type);

/** Whether these are just the types that an endpoint gets that asks for nothing else. */
export function isEverything(types: readonly string[]): boolean {
  return types.length === applied.length && types.every(changesRecord);
}

export interface Group {
  group: string;
  /** Patterns of this group that name several types. */
  patterns: { pattern: string; count: number }[];
  types: string[];
}

const all: Group[] = grouped(known).map(({ group, types }) => ({
  group,
  types,
  patterns: wildcards(types).map((pattern) => ({
    pattern,
    count: types.filter((type) => matches(pattern, type)).length,
  })),
}));

/** The groups in which something has a text in its name, and of them what has it; `charge.*` finds its types. */
export function groupsWith(text: string): Group[] {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return all;
  const has = (type: string) => matches(wanted, type) || type.includes(wanted);
  return all
    .map(({ group, patterns, types }) => ({
      group,
      patterns: patterns.filter(({ pattern }) => pattern.includes(wanted)),
      types: types.filter(has),
    }))
    .filter(({ types }) => types.length > 0);
}

/** Patterns with one put in or taken out. One that comes takes those along that it names already. */
export function toggled(patterns: readonly string[], pattern: string): string[] {
  if (patterns.includes(pattern)) return patterns.filter((other) => other !== pattern);
  return [...patterns.filter((other) => !matches(pattern, other)), pattern].sort();
}

/** Exact types, with `group.*` for each group of which all are there. */
export function asPatterns(types: readonly string[]): string[] {
  const whole = all.filter(({ types: of }) => of.length > 1 && of.every((type) => types.includes(type)));
  const groups = new Set(whole.map(({ group }) => group));
  const others = types.filter((type) => !groups.has(groupOf(type)));
  return [...[...groups].map((group) => `${group}.*`), ...others].sort();
}
