// JSON as the nodes of a tree, made only as far as they are looked at.

export interface Node {
  /** From the root: names and places, by which it is known. */
  path: string;
  /** Its name in what holds it; a place in a list is a number. */
  name: string | number;
  value: unknown;
}

/** Whether something can be opened. */
export function holds(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

/** What is within a value, in its own order. */
export function within(value: unknown, path: string): Node[] {
  if (!holds(value)) return [];
  if (Array.isArray(value)) return value.map((item, n) => ({ path: `${path}/${n}`, name: n, value: item }));
  return Object.entries(value).map(([name, member]) => ({ path: `${path}/${name}`, name, value: member }));
}

/** A value that cannot be opened, as JSON has it. */
export function leaf(value: unknown): string {
  if (Array.isArray(value)) return "[]";
  if (typeof value === "object" && value !== null) return "{}";
  return String(value);
}

/** The paths of all nodes whose name or value has a text in it, and of what leads to them. */
export function find(value: unknown, text: string): { found: Set<string>; open: Set<string> } {
  const found = new Set<string>();
  const open = new Set<string>();
  const wanted = text.toLowerCase();
  const walk = (node: Node, above: string[]) => {
    const own = holds(node.value) ? "" : leaf(node.value);
    if (String(node.name).toLowerCase().includes(wanted) || own.toLowerCase().includes(wanted)) {
      found.add(node.path);
      for (const path of above) open.add(path);
    }
    for (const child of within(node.value, node.path)) walk(child, [...above, node.path]);
  };
  for (const node of within(value, "")) walk(node, [""]);
  return { found, open };
}
