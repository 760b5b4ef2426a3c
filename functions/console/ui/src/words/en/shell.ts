// What stands around the pages.
export const shell = {
  product: "Billhook",
  skip: "Skip to the page",
  menu: "Menu",
  closeMenu: "Close the menu",
  side: "Pages and times",
  pages: "Pages",
  mode: {
    test: { badge: "TEST", hint: "Test mode: nothing here is real money." },
    live: { badge: "LIVE", hint: "Live mode: this is real money." },
  },
  nav: {
    overview: "Overview",
    attention: "Needs attention",
    records: "Records",
    events: "Events",
    settings: "Settings",
    stripe: "Stripe",
    endpoints: "Endpoints",
    setup: "Set-up",
    audit: "Audit",
  },
  roles: { admin: "Admin", viewer: "Viewer", none: "No role" },
  viewerLine:
    "You are signed in as a viewer: you see everything but secrets, and change nothing. An admin can.",
  signOut: "Sign out",
  times: (zone: string) => `Times are in ${zone}.`,
  showUtc: "Show UTC",
  showLocal: "Show my time",
  stillWaiting: "Still waiting for an answer…",
  close: "Close",
  notFound: {
    title: "There is no such page",
    text: "The address leads nowhere. It may have been cut off, or it is of an older release.",
    back: "Go to the overview",
  },
  outdated: {
    title: "This page could not be loaded",
    text: "There may be a newer release of the console, or no connection. Reload to go on.",
    reload: "Reload",
  },
  broken: {
    title: "This page broke",
    text: "Something in it could not be shown. Nothing was changed by that.",
    again: "Show it again",
  },
  loading: "Loading…",
} as const;
