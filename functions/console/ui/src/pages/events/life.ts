// The life of an event as steps: made, come in, each state since, the next try.
import { PROBE } from "../../api/queries/events.ts";
import type { EventState, WholeEvent } from "../../api/types.ts";
import { causeTitle } from "../../parts/causes.ts";
import type { Tone } from "../../parts/tone.ts";
import { words } from "../../words/words.ts";
import { reasonOf } from "./reason.ts";

export interface Step {
  key: string;
  at: string | null;
  tone: Tone;
  title: string;
  /** Why, in the words of its cause; null where that is not known. */
  cause: string | null;
  /** Why; somebody else's words, perhaps. */
  text: string | null;
  by: string | null;
  /** How often it had been tried again; null where that says nothing. */
  attempts: number | null;
}

type Past = WholeEvent["history"][number];

const TONES: Record<EventState, Tone> = {
  pending: "waiting",
  processed: "good",
  superseded: "calm",
  ignored: "calm",
  quarantined: "bad",
  failed: "warn",
  dead: "bad",
};

/** All steps, the earliest first. `now` tells a try that is due from one to come. */
export function lifeOf(event: WholeEvent, now: number): Step[] {
  const said = words.events.life;
  const plain = { cause: null, text: null, by: null, attempts: null };
  const [first, ...later] = event.history;
  const cameIn = event.source === "reconcile" ? said.fetched : said.received(event.endpoint);
  const steps: Step[] = [
    { ...plain, key: "received", at: event.received_at, tone: "good", title: cameIn },
    // How it came in is told already, unless it was set aside at once.
    ...(first && first.state !== "pending" ? [stepOf(first, 0)] : []),
    ...later.map((past, n) => stepOf(past, n + 1)),
  ];
  if (event.created) {
    steps.unshift({
      ...plain,
      key: "created",
      at: event.created,
      tone: "calm",
      title: event.type === PROBE ? said.probe : said.created,
    });
  }
  if (event.due_at && event.state === "failed") {
    const due = Date.parse(event.due_at) <= now;
    steps.push({
      ...plain,
      key: "due",
      at: event.due_at,
      tone: "waiting",
      title: due ? said.nextNow : said.next,
    });
  }
  return steps;
}

function stepOf(past: Past, n: number): Step {
  const tried = past.state === "failed" || past.state === "dead";
  return {
    key: `${n}/${past.state}`,
    at: past.at,
    tone: TONES[past.state] ?? "calm",
    title: titleOf(past),
    cause: tried || past.state === "quarantined" ? causeTitle(past.reason) : null,
    text: past.state === "pending" && past.reason ? words.events.life.saying(past.reason) : reasonOf(past),
    by: past.by,
    attempts: tried ? past.attempts : null,
  };
}

function titleOf({ state, reason, by }: Past): string {
  const said = words.events.life;
  switch (state) {
    case "pending":
      return by ? said.replayed : said.again;
    case "processed":
      return said.applied;
    case "superseded":
      return said.superseded;
    case "ignored":
      return reason?.split(":")[0] === "discarded" ? said.discarded : said.ignored;
    case "quarantined":
      return said.quarantined;
    case "failed":
      return said.failed;
    case "dead":
      return said.dead;
    default:
      return state;
  }
}
