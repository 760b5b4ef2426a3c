// Stripe's event types, from the lists that the functions are built with. To be loaded where somebody chooses.
export { applied as appliedEventTypes, known as stripeEventTypes } from "virtual:event-types";
