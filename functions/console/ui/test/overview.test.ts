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
import { check, endpoint, imported, settings, statusOf } from "./help/webhook.ts";

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

test("each hour of the chart leads to the events since it", async () => {
  const hour = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000);
  const counts = { processed: 3, superseded: 0, ignored: 0, quarantined: 0, failed: 0, dead: 0 };
  const last_day = [{ hour: hour.toISOString(), ...counts }];
  api({ ...usual, "GET status": () => statusOf([], [], { last_day }) });
  const { container } = show(Overview);
  await userEvent.setup().click(await screen.findByRole("button", { name: words.parts.asTable }));
  const links = within(screen.getByRole("table")).getAllByRole("link");
  expect(links).toHaveLength(24);
  expect(links.at(-1)?.getAttribute("href")).toBe(to.events({ since: hour.toISOString() }));
  await userEvent.setup().click(screen.getByRole("button", { name: words.parts.asChart }));
  expect(container.querySelectorAll('figure a:not([tabindex="-1"])')).toHaveLength(0);
  expect(container.querySelectorAll("svg a")).toHaveLength(24);
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
