// CSV: what was listed, and nothing that a spreadsheet would carry out.
import { expect, test } from "vitest";
import { csv, csvCell } from "../src/format/csv.ts";

test("what begins like a formula is a text", () => {
  expect(csvCell("=1+1")).toBe("'=1+1");
  expect(csvCell("@SUM(A1)")).toBe("'@SUM(A1)");
  expect(csvCell("+cmd|' /C calc'!A0")).toBe("'+cmd|' /C calc'!A0");
  expect(csvCell("-2+3")).toBe("'-2+3");
  expect(csvCell("\t=1")).toBe("'\t=1");
  expect(csvCell("\r=1")).toBe('"\'\r=1"');
  expect(csvCell('=HYPERLINK("http://x","y")')).toBe('"\'=HYPERLINK(""http://x"",""y"")"');
});

test("plain numbers stay numbers", () => {
  expect(csvCell(-1250)).toBe("-1250");
  expect(csvCell("-12.50")).toBe("-12.50");
  expect(csvCell(9007199254740993n)).toBe("9007199254740993");
});

test("commas, quotes and lines stay within their cell", () => {
  expect(
    csv(
      ["id", "name"],
      [
        ["cus_1", 'Anna "A", B'],
        ["cus_2", "two\nlines"],
        ["cus_3", null],
      ],
    ),
  ).toBe('id,name\r\ncus_1,"Anna ""A"", B"\r\ncus_2,"two\nlines"\r\ncus_3,\r\n');
});
