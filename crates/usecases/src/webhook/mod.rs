//! Calls to an address that an organisation named: what they tell, and making them.

mod deliver;
mod event;

pub use deliver::{CallPorts, CallWebhooks, RETRIES};
pub use event::{Event, timestamp};
