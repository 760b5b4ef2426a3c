// The start of the page: configuration, then who it is, then the pages. A window that was opened only to sign in
// again does nothing else.
import "./style.css";
import { mount } from "svelte";
import App from "./app.svelte";
import { findSignIn, loadConfig } from "./session/config.ts";
import { setSession } from "./session/current.ts";
import { dropDrafts } from "./session/draft.svelte.ts";
import { beginAnewWhenOver } from "./session/leave.ts";
import { handOver, renewalOf } from "./session/renew.ts";
import { Session } from "./session/session.svelte.ts";
import { beginSignIn, finishSignIn, isAnswer, SignInProblem } from "./session/sign-in.ts";
import Gate from "./shell/gate.svelte";
import type { GateState } from "./shell/gate.ts";

const target = document.getElementById("app") ?? document.body;

/** What is to be shown: the pages, or what stands in their way. */
async function begin(): Promise<GateState | null> {
  const config = await loadConfig();
  const signIn = await findSignIn(config);
  const session = new Session(config);
  setSession(session, signIn);
  window.addEventListener("pageshow", beginAnewWhenOver);

  const renewal = renewalOf(location.hash);
  if (renewal) {
    location.replace(await beginSignIn(config, signIn, "", renewal));
    return { at: "leaving" };
  }
  if (isAnswer(new URL(location.href))) {
    const signedIn = await finishSignIn(config, signIn);
    if (signedIn.renewal) {
      handOver(signedIn.renewal, signedIn.token);
      return { at: "handed_over" };
    }
    const refusal = session.take(signedIn.token);
    if (refusal) throw new SignInProblem("invalid", refusal);
    // The router read the address before it was put back to where the person was.
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  } else if (!session.resume()) {
    if (!import.meta.env.DEV) return { at: "signed_out" };
    // Only of the development server: it knows the local stack's users, and its address is no callback of theirs.
    session.take(await (await fetch("dev-token")).text());
  }
  dropDrafts(session.subject);
  return session.role === "none" ? { at: "no_role" } : null;
}

const gate = await begin().catch((problem: unknown): GateState => ({ at: "problem", problem }));
if (gate) mount(Gate, { target, props: { gate } });
else mount(App, { target });
