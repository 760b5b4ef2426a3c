// All words of the page, in English. Another language is another file of the type `Words`.
import { attention } from "./en/attention.ts";
import { audit } from "./en/audit.ts";
import { checkActions, checks } from "./en/checks.ts";
import { endpoints } from "./en/endpoints.ts";
import { events } from "./en/events.ts";
import { overview } from "./en/overview.ts";
import { parts } from "./en/parts.ts";
import { payouts } from "./en/payouts.ts";
import { problems } from "./en/problems.ts";
import { records } from "./en/records.ts";
import { sessionWords } from "./en/session.ts";
import { setup } from "./en/setup.ts";
import { shell } from "./en/shell.ts";
import * as states from "./en/states.ts";
import { stripe } from "./en/stripe.ts";
import { time } from "./en/time.ts";

export const en = {
  language: "en",
  // What stands around the pages, and what they share.
  shell,
  session: sessionWords,
  problems,
  parts,
  time,
  states: {
    event: states.eventStates,
    payment: states.paymentStates,
    endpoint: states.endpointStates,
    health: states.health,
    kinds: states.kinds,
    ignoredBecause: states.ignoredBecause,
  },
  checks,
  checkActions,
  // Each page's own.
  overview,
  attention,
  setup,
  stripe,
  endpoints,
  events,
  records,
  payouts,
  audit,
};
