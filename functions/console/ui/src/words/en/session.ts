// Signing in and out.
export const sessionWords = {
  signIn: "Sign in",
  signInAgain: "Sign in again",
  signingIn: "Signing you in…",
  signingOut: "Signing out…",
  welcome: "Sign in to see whether Stripe's events arrive, and what they say.",
  problems: {
    refused: {
      title: "You were not signed in",
      text: "The sign-in page turned you away. What it said is below.",
    },
    stale: {
      title: "This sign-in is out of date",
      text: "It was begun in another tab, or the page was reloaded on the way. Sign in once more.",
    },
    invalid: {
      title: "The sign-in could not be trusted",
      text: "The answer is not meant for this page. Sign in once more; if it happens again, tell whoever runs Billhook.",
    },
    no_answer: {
      title: "The sign-in page does not answer",
      text: "Check your connection, then sign in once more.",
    },
    no_storage: {
      title: "Your browser stores nothing for this page",
      text: "Signing in needs the storage of this tab. Allow this site to store data, then try again.",
    },
  },
  start: {
    title: "The console cannot start",
    text: "It could not read its configuration. Reload the page; if that does not help, tell whoever runs Billhook.",
    again: "Reload",
  },
  noRole: {
    title: "You have no role here",
    text: (admin: string, viewer: string) =>
      `Ask whoever manages sign-ins to put you into the group “${viewer}” to look, or “${admin}” to change things.`,
    youAre: (name: string) => `You are signed in as ${name}.`,
  },
  ended: {
    title: "Your session has ended",
    text: "Nothing is lost: sign in again and go on where you were.",
    open: "Sign in again",
    waiting: "Waiting for the other window. When you have signed in there, it closes and you go on here.",
    openAgain: "Open the window again",
    blocked:
      "Your browser blocked the window. Sign in on this page instead: what you typed is kept, but for keys and secrets.",
    redirect: "Sign in on this page",
    other: "Somebody else signed in. Sign in as the same person, or reload to go on as the other.",
    reload: "Reload",
    refused: "That sign-in did not work here. Try again.",
    back: "You are signed in again.",
  },
  handedOver: {
    title: "You are signed in",
    text: "You can close this window and go on in the other one.",
  },
} as const;
