// The transactions of a payout as one file: the API's CSV, page after page.
import type { CsvPage } from "../../../api/call.ts";

/** What is read page by page, until its end or until somebody stops it. */
export async function readCsv(
  page: (cursor: string | undefined) => Promise<CsvPage>,
  progress: (rows: number) => void,
): Promise<string> {
  let text = "";
  let rows = 0;
  let cursor: string | undefined;
  do {
    const next = await page(cursor);
    const { heads, body } = parts(next.text);
    if (text === "") text = heads;
    text += body;
    rows += countRows(body);
    progress(rows);
    cursor = next.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return text;
}

/** The line of the heads, and the rest; without the mark that says UTF-8, which the file has once. */
function parts(text: string): { heads: string; body: string } {
  const plain = text.replace(/^\uFEFF/, "");
  const end = plain.indexOf("\n") + 1;
  if (end === 0) return { heads: `${plain}\r\n`, body: "" };
  const body = plain.slice(end);
  return { heads: plain.slice(0, end), body: body === "" || body.endsWith("\n") ? body : `${body}\r\n` };
}

/** How many rows a text has: a line's end within quotes is none. */
export function countRows(body: string): number {
  let rows = 0;
  let quoted = false;
  for (const character of body) {
    if (character === '"') quoted = !quoted;
    else if (character === "\n" && !quoted) rows += 1;
  }
  return rows;
}
