// The page as a whole, and what stands before it.
import { render, screen } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import App from "../src/app.svelte";
import { signOut } from "../src/session/leave.ts";
import { SignInProblem } from "../src/session/sign-in.ts";
import { recall } from "../src/session/tab-storage.ts";
import Gate from "../src/shell/gate.svelte";
import { api } from "./help/api.ts";
import { signedIn } from "./help/session.ts";

beforeEach(async () => {
  sessionStorage.clear();
  await signedIn();
});

test("nothing that was read stays on the page once somebody has signed out", async () => {
  vi.spyOn(location, "assign").mockImplementation(() => {});
  api({});
  const { container } = render(App);
  expect(await screen.findByRole("heading", { level: 1, name: "Overview" })).toBeTruthy();
  signOut();
  await vi.waitFor(() => expect(container.textContent?.trim()).toBe("Signing out…"));
});

test("a window for a renewal whose sign-in failed tries again for the same renewal", async () => {
  vi.spyOn(location, "assign").mockImplementation(() => {});
  const problem = new SignInProblem("refused", "You said no", undefined, "renewal-1");
  render(Gate, { gate: { at: "problem", problem } });
  await userEvent.setup().click(screen.getByRole("button", { name: "Sign in" }));
  await vi.waitFor(() => expect(JSON.parse(recall("billhook.sign-in") ?? "{}").renewal).toBe("renewal-1"));
});
