//! What officers' use cases share: their ports, permission, refusals, another attempt where someone else's change came between.

pub(crate) mod content;
mod named;
mod network;
mod permit;
mod ports;
mod refusal;
mod retry;

pub use named::{Named, OfficerNames};
pub(crate) use network::network;
pub(crate) use permit::permit;
pub use ports::OfficePorts;
pub use refusal::Refusal;
pub(crate) use retry::{Overtaken, retry};
