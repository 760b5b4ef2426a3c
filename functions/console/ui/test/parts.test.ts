// What pages are made of: readable by everybody, and harmless whatever stands in it.
import { fireEvent, screen, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { Problem } from "../src/api/problem.ts";
import { type Bar, layOut } from "../src/parts/bars.ts";
import ConfirmByName from "../src/parts/confirm-by-name.svelte";
import Id from "../src/parts/id.svelte";
import JsonTree from "../src/parts/json-tree.svelte";
import LongText from "../src/parts/long-text.svelte";
import ProblemPart from "../src/parts/problem.svelte";
import Secret from "../src/parts/secret.svelte";
import TextInput from "../src/parts/text-input.svelte";
import TimePart from "../src/parts/time.svelte";
import { answers, json, signedIn } from "./help/session.ts";
import { show, text } from "./help/show.ts";

beforeEach(async () => {
  await signedIn();
});

const hostile = '<img src=x onerror="alert(1)"><script>alert(2)</scr' + "ipt>\u202egnp.exe";

describe("texts of others", () => {
  test("are text, whatever is in them", () => {
    const { container } = show(LongText, { text: hostile });
    expect(container.querySelector("img, script")).toBeNull();
    expect(container.textContent).toContain("<img src=x");
    expect(container.textContent).toContain("\\u202egnp.exe");
    expect(container.querySelector("bdi")).not.toBeNull();
  });

  test("of 10,000 characters are cut, and shown whole when asked for", async () => {
    const { container } = show(LongText, { text: "x".repeat(10_000) });
    expect(container.querySelector("bdi")?.textContent?.length).toBeLessThan(310);
    await fireEvent.click(screen.getByRole("button", { name: "Show all" }));
    expect(container.querySelector("bdi")?.textContent).toHaveLength(10_000);
  });
});

describe("an id", () => {
  test("leads to its page by its beginning", async () => {
    answers(
      json({
        data: [
          {
            kind: "customers",
            object: "customer",
            id_prefixes: ["cus"],
            statuses: [],
            amount: null,
            labels: [],
            references: [],
          },
        ],
      }),
    );
    show(Id, { id: "cus_1" });
    expect((await screen.findByRole("link")).getAttribute("href")).toBe("#/records/customers/cus_1");
  });

  test("that nothing is known by is text", async () => {
    answers(json({ data: [] }));
    show(Id, { id: "javascript:alert(1)" });
    expect(screen.queryByRole("link")).toBeNull();
    expect(screen.getByRole("button", { name: "Copy javascript:alert(1)" })).toBeTruthy();
  });
});

describe("a payload", () => {
  const value = {
    id: "evt_1",
    amount: 9007199254740993n,
    data: { object: { email: hostile, list: [1, 2] } },
    none: null,
  };

  test("is a tree of which every digit is shown, and deep parts begin closed", () => {
    show(JsonTree, { value });
    const tree = screen.getByRole("tree");
    expect(within(tree).getByText("9007199254740993")).toBeTruthy();
    expect(within(tree).queryByText("email")).toBeNull();
  });

  test("opens and closes by the keyboard, and one stop of the tab key is enough", async () => {
    const user = userEvent.setup();
    const { container } = show(JsonTree, { value });
    expect(container.querySelectorAll('[role=treeitem][tabindex="0"]')).toHaveLength(1);
    await user.tab();
    await user.keyboard("{ArrowDown}{ArrowDown}{ArrowRight}{ArrowRight}{ArrowRight}{ArrowRight}");
    expect(document.activeElement?.getAttribute("data-path")).toBe("/data/object/email");
    await user.keyboard("{ArrowLeft}{ArrowLeft}");
    expect(document.activeElement?.getAttribute("aria-expanded")).toBe("false");
    expect(container.querySelector("img")).toBeNull();
  });

  test("can be searched, however deep", async () => {
    const user = userEvent.setup();
    show(JsonTree, { value, search: true });
    await user.type(screen.getByRole("searchbox"), "onerror");
    expect(screen.getByText("1 place found")).toBeTruthy();
    expect(document.querySelectorAll('[aria-selected="true"]')).toHaveLength(1);
  });
});

test("what cannot be taken back needs the name, to the letter", async () => {
  const user = userEvent.setup();
  const confirmed = vi.fn();
  show(ConfirmByName, {
    open: true,
    title: "Deregister",
    name: "main",
    action: "Deregister main",
    onconfirm: confirmed,
    children: text("x"),
  });
  const button = await screen.findByRole("button", { name: "Deregister main" });
  expect(button.hasAttribute("disabled")).toBe(true);
  await user.type(screen.getByLabelText("Type main to confirm"), "Main{Enter}");
  expect(confirmed).not.toHaveBeenCalled();
  await user.clear(screen.getByLabelText("Type main to confirm"));
  await user.type(screen.getByLabelText("Type main to confirm"), "main{Enter}");
  expect(confirmed).toHaveBeenCalledWith("main");
});

test("a secret is not in the page until somebody wants to see it", async () => {
  const { container } = show(Secret, { secret: "whsec_abc", what: "signing secret" });
  expect(container.innerHTML).not.toContain("whsec_abc");
  await fireEvent.click(screen.getByRole("button", { name: "Show" }));
  expect(container.textContent).toContain("whsec_abc");
});

test("a problem says what it is, what to do, and by which id its log finds it", () => {
  const problem = new Problem("conflict", "the name is taken", {
    remedy: "choose another",
    requestId: "req-1",
  });
  show(ProblemPart, { problem, urgent: true });
  const alert = screen.getByRole("alert").textContent ?? "";
  for (const said of ["That does not go now", "The name is taken.", "Choose another.", "req-1"]) {
    expect(alert).toContain(said);
  }
});

test("a field's hint and error belong to its input", () => {
  show(TextInput, { label: "Name", value: "", hint: "In small letters", error: "It is taken." });
  const input = screen.getByLabelText("Name");
  expect(input.getAttribute("aria-invalid")).toBe("true");
  const described = (input.getAttribute("aria-describedby") ?? "").split(" ");
  expect(described.map((id) => document.getElementById(id)?.textContent)).toEqual([
    "In small letters",
    "It is taken.",
  ]);
});

test("a time that is not known says so, and no text is taken for one", () => {
  const { container } = show(TimePart, { at: null });
  expect(container.textContent).toContain("Not known");
  expect(show(TimePart, { at: "nonsense" }).container.querySelector("time")).toBeNull();
});

test("bars stand on each other and fit their field", () => {
  const bars: Bar[] = [
    { label: "a", values: { x: 3, y: 1 } },
    { label: "b", values: {} },
  ];
  const series = [
    { key: "x", label: "x", tone: "good" },
    { key: "y", label: "y", tone: "bad" },
  ] as const;
  const { parts, marks } = layOut(bars, series, 100, 40);
  expect(parts).toHaveLength(2);
  expect((parts[1]?.y ?? 0) + (parts[1]?.height ?? 0)).toBe(parts[0]?.y);
  expect(Math.max(...marks.map((mark) => mark.value))).toBe(4);
});
