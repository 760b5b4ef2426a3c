//! The law of the whole: every event is applied once and in the right order, whatever happens on the way.
//!
//! What is on trial are the real `receive` and `process`, on a real DynamoDB, with a simulated Stripe to ask. What happens on the
//! way: events arrive in any order, again, through doorbell and sweep, in batches of any size; calls to AWS fail, also after they
//! were done; indexes lag behind; processes die between any two calls. In the end each event has one row in a final state, and
//! each record is the object as it stands at Stripe.
//!
//! # Layout
//!
//! | part | what it knows |
//! |---|---|
//! | `draw` | histories and courses of events, as they are drawn: for property tests and for the large run |
//! | `world` | the cloud, Stripe, the clock |
//! | `hands` | processes that receive or apply, and die |
//! | `play` | one course, step by step: for property tests |
//! | `run` | very many events at once: for `make prove` |
//! | `judge` | what must hold in the end |

mod draw;
mod hands;
mod judge;
mod play;
mod run;
mod world;

pub use draw::{Course, Trouble, courses, crowded, draw, histories};
pub use hands::{Applier, Receiver, Work};
pub use judge::{Verdict, judge};
pub use play::{play, settle};
pub use run::{Figures, Load, lives, run};
pub use world::{BEGINS, World};
