// Event types by group, and patterns such as `customer.*` that name several.

/** Whether a pattern names a type: the type itself, or `prefix.*`. */
export function matches(pattern: string, type: string): boolean {
  return pattern.endsWith(".*") ? type.startsWith(pattern.slice(0, -1)) : pattern === type;
}

/** The part of a type before its first dot, by which people look for it. */
export function groupOf(type: string): string {
  return type.split(".")[0] ?? type;
}

/** Types by group, both in order of the alphabet. */
export function grouped(types: Iterable<string>): { group: string; types: string[] }[] {
  const groups = new Map<string, string[]>();
  for (const type of [...new Set(types)].sort()) {
    const group = groupOf(type);
    const known = groups.get(group);
    if (known) known.push(type);
    else groups.set(group, [type]);
  }
  return [...groups].map(([group, inIt]) => ({ group, types: inIt }));
}

/** All patterns with a wildcard that name at least two of these types: `customer.*`, `customer.subscription.*`. */
export function wildcards(types: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const type of types) {
    const parts = type.split(".");
    for (let n = 1; n < parts.length; n += 1) {
      const pattern = `${parts.slice(0, n).join(".")}.*`;
      counts.set(pattern, (counts.get(pattern) ?? 0) + 1);
    }
  }
  return [...counts]
    .filter(([, count]) => count > 1)
    .map(([pattern]) => pattern)
    .sort();
}

/** The types that any of the patterns names. */
export function selected(patterns: readonly string[], types: readonly string[]): string[] {
  return types.filter((type) => patterns.some((pattern) => matches(pattern, type)));
}
