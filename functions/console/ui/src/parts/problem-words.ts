// What to do about a problem, in words of this page where it has some: the API's own name its calls.
import type { Problem } from "../api/problem.ts";
import { sentence } from "../format/text.ts";
import { words } from "../words/words.ts";

/** What to do; null where the API does not say. */
export function remedyOf(problem: Problem): string | null {
  const { codes } = words.problems;
  const own = problem.code && Object.hasOwn(codes, problem.code) ? codes[problem.code] : undefined;
  return own ?? problem.remedy;
}

/** What stands beside the input that a problem is about. */
export function fieldProblem(problem: Problem): string {
  const remedy = remedyOf(problem);
  return [problem.message, remedy]
    .filter(Boolean)
    .map((text) => sentence(String(text)))
    .join(" ");
}
