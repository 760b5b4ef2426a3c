// The start: what is asked for is named from where the page is.
import { expect, test } from "vitest";
import { beside, here } from "../src/session/here.ts";

test("the API is beside the page, below whatever path it is served", () => {
  expect(here().href).toBe("http://localhost/billhook/");
  expect(beside("status").href).toBe("http://localhost/billhook/status");
  expect(beside("/endpoints/main").href).toBe("http://localhost/billhook/endpoints/main");
});
