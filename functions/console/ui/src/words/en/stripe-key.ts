// The Stripe key: what it has to be allowed, what is said of one that is typed, and of the one that is set.

export const stripeKey = {
  title: "Stripe key",
  none: "No key is set: Billhook cannot ask Stripe anything.",
  make: "Make a restricted key at Stripe",
  makeText:
    "Stripe’s page opens in a new tab with the name and the rights already chosen. Press “Create key” there, copy the key, and paste it here.",
  whichRights: "Which rights, and why",
  whichRightsHint: "If a row is not chosen on Stripe’s page, choose it by hand.",
  columns: { row: "Row at Stripe", level: "Right", why: "Why" },
  field: "Stripe key",
  fieldHint: (mode: string) =>
    `Begins with rk_${mode}_. It is checked with Stripe, kept, and never shown again.`,
  save: "Check and save the key",
  replace: "Replace the key",
  saving: "Asking Stripe about the key…",
  saved: "Stripe accepts the key.",
  hint: "Key",
  since: "Set",
  account: "Stripe account",
  accountUnknown: "Stripe does not say",
  mode: "Mode",
  rightsTitle: "What the key may do",
  rightsHint: "As Stripe says; asked at most once a minute.",
  right: { ok: "Allowed", denied: "Missing", unknown: "Not known yet" },
  missing: { one: "right is missing", other: "rights are missing" },
  rowOf: (row: string, level: string) => `${row}: ${level}`,
  missingRow: (row: string) => `On Stripe’s page it is “${row}”.`,
  missingTodo:
    "In Stripe’s dashboard open the key’s page, press “Edit key”, and give it these; or make another key and set it here.",
  warnings: {
    publishable:
      "This is a publishable key, made for web pages. Take a restricted key, which begins with rk_.",
    signing_secret: "This is the signing secret of an endpoint, not a key. A key begins with rk_.",
    other_mode: (here: string) =>
      `This key is of the other mode. Billhook works in ${here} mode here, so the key will be refused.`,
    not_a_key: "This does not look like a key of Stripe’s. It begins with rk_ and has no spaces in it.",
    unrestricted:
      "This is a secret key that may do everything, moving money too. It works, but a restricted key can do less harm.",
  },
  rows: {
    rak_webhook_write: {
      row: "Webhook Endpoints",
      level: "Write",
      why: "to register webhooks, and to see how they stand",
      without: "No webhook can be registered or watched.",
    },
    rak_event_read: {
      row: "Events",
      level: "Read",
      why: "to find events that did not arrive",
      without: "Events that did not arrive stay missing.",
    },
    rak_customer_read: {
      row: "Customers",
      level: "Read",
      why: "to import and compare customers",
      without: "Customers from before are not here, and none is compared with Stripe.",
    },
    rak_subscription_read: {
      row: "Subscriptions",
      level: "Read",
      why: "to import and compare subscriptions",
      without: "Subscriptions from before are not here, and none is compared with Stripe.",
    },
    rak_invoice_read: {
      row: "Invoices",
      level: "Read",
      why: "to import and compare invoices and what pays them",
      without: "Invoices from before are not here, and none is compared with Stripe.",
    },
    rak_payment_intent_read: {
      row: "PaymentIntents",
      level: "Read",
      why: "to import and compare payments",
      without: "Payments from before are not here, and none is compared with Stripe.",
    },
    rak_charge_read: {
      row: "Charges and Refunds",
      level: "Read",
      why: "to import and compare charges and refunds",
      without: "Charges and refunds from before are not here, and none is compared with Stripe.",
    },
    rak_dispute_read: {
      row: "Disputes",
      level: "Read",
      why: "to import and compare disputes",
      without: "Disputes from before are not here, and none is compared with Stripe.",
    },
  },
} as const;
