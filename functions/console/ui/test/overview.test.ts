// The overview: it says that all is well only while that is known.
import { screen, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { to } from "../src/links.ts";
import Checks from "../src/pages/attention/checks.svelte";
import Endpoints from "../src/pages/endpoints/endpoints.svelte";
import Overview from "../src/pages/overview/overview.svelte";
import Setup from "../src/pages/setup/setup.svelte";
import { words } from "../src/words/words.ts";
import { api } from "./help/api.ts";
import { json, signedIn } from "./help/session.ts";
import { show } from "./help/show.ts";
import { check, endpoint, hourOf, imported, settings, statusOf } from "./help/webhook.ts";

beforeEach(async () => {
  vi.useRealTimers();
  sessionStorage.clear();
  await signedIn();
});

const usual = {
  "GET endpoints": () => ({ data: [endpoint()], next_cursor: null }),
  "GET settings": () => settings(),
  "GET import": () => imported(),
};

describe("all checks are well", () => {
  const places = [
    ["on the overview", Overview],
    ["under what needs attention", Checks],
  ] as const;

  test.each(places)("only when each of them is: %s", async (_, part) => {
    const checks = [check("clock", "ok"), check("stripe_answers", "unknown")];
    api({ ...usual, "GET status": () => statusOf(checks, [check("deliveries_arrive", "unknown")]) });
    show(part);
    expect(await screen.findByText("2 checks are not known yet")).toBeTruthy();
    expect(screen.queryByText("All checks are well.")).toBeNull();
  });

  test.each(places)("is said when each of them is: %s", async (_, part) => {
    api({ ...usual, "GET status": () => statusOf([check("clock", "ok")]) });
    show(part);
    expect(await screen.findByText("All checks are well.")).toBeTruthy();
  });
});

describe("the charts of the last day", () => {
  const hour = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000);
  const when = { since: hour.toISOString(), until: new Date(hour.getTime() + 3_600_000).toISOString() };
  const shown = (...hours: ReturnType<typeof hourOf>[]) => {
    api({ ...usual, "GET status": () => statusOf([], [], { last_day: hours }) });
    return show(Overview);
  };

  test("lead to the events of an hour, and to those of them in a state", async () => {
    const { container } = shown(hourOf(hour, { processed: 3, dead: 2, failed: 7 }));
    const [asTable] = await screen.findAllByRole("button", { name: words.parts.asTable });
    await userEvent.setup().click(asTable as HTMLElement);
    const table = within(screen.getByRole("table", { name: words.overview.chart }));
    const heads = table.getAllByRole("columnheader").map((head) => head.textContent);
    expect(heads).toEqual(["Hour", "Processed", "Failed tries", "Dead"]);
    expect(table.getAllByRole("row")).toHaveLength(25);
    const links = within(table.getAllByRole("row").at(-1) as HTMLElement).getAllByRole("link");
    expect(links.map((link) => link.getAttribute("href"))).toEqual([
      to.events(when),
      to.events({ state: "processed", ...when }),
      to.events({ state: "failed", ...when }),
      to.events({ state: "dead", ...when }),
    ]);
    expect(links.at(-1)?.getAttribute("aria-label")).toMatch(/^2: Dead, of those that came in from/);
    await userEvent.setup().click(screen.getByRole("button", { name: words.parts.asChart }));
    expect(container.querySelectorAll('figure a:not([tabindex="-1"])')).toHaveLength(0);
    const drawn = [...(container.querySelector("figure")?.querySelectorAll("svg a") ?? [])];
    expect(drawn.map((link) => link.getAttribute("href"))).toContain(to.events({ state: "dead", ...when }));
  });

  test("say how long events took, half of them and the slowest", async () => {
    const before = new Date(hour.getTime() - 3_600_000);
    shown(hourOf(before, { processed: 4 }, [3, 1, 0, 0]), hourOf(hour, { processed: 2 }, [0, 0, 0, 2]));
    expect(await screen.findByText(/Half of them: within 5 s\. The slowest: over 10 min\./)).toBeTruthy();
    const table = screen.getByRole("table", { name: words.overview.lagDay });
    const cells = within(within(table).getAllByRole("row").at(-2) as HTMLElement).getAllByRole("cell");
    expect(cells.map((cell) => cell.textContent?.trim())).toEqual(["3", "1", "0", "0"]);
  });

  test("say so where no event was applied", async () => {
    shown(hourOf(hour, { ignored: 4 }));
    expect(await screen.findByText(words.overview.noLag)).toBeTruthy();
  });
});

describe("a status that was not read again for a minute", () => {
  const places = [
    ["overview", Overview],
    ["set-up", Setup],
    ["endpoints", Endpoints],
  ] as const;

  test.each(places)("is not known any more, and says what it was: %s", async (_, part) => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    let up = true;
    api({
      ...usual,
      "GET endpoints": () => ({ data: [endpoint({ state: "disabled" })], next_cursor: null }),
      "GET status": () => (up ? statusOf([]) : json({ message: "Service Unavailable" }, 503)),
    });
    const { container } = show(part);
    const word = () => container.querySelector(".state.good")?.textContent ?? "";
    await vi.waitFor(() => expect(container.textContent).toMatch(/Active/));
    up = false;
    await vi.advanceTimersByTimeAsync(100_000);
    expect(screen.queryByText("Active", { selector: ".state *" })).toBeNull();
    expect(word()).not.toContain("Active");
    expect(container.textContent).toMatch(/Not known yet/);
    expect(container.textContent).toMatch(/it was “Active”/);
    expect(screen.queryByText("All checks are well.")).toBeNull();
    vi.useRealTimers();
  });
});
