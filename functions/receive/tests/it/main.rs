//! What `receive` promises, against a real DynamoDB and the real SDKs.

mod costs;
mod deliveries;
mod outages;
mod refusals;
mod support;
