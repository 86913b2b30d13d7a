//! What officers' use cases share: permission, refusals, another attempt where someone else's change came between.

mod permit;
mod refusal;
mod retry;

pub(crate) use permit::permit;
pub use refusal::Refusal;
pub(crate) use retry::{Overtaken, retry};
