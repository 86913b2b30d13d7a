//! What tests share: values that are right, a clock that stands still, randomness that repeats, temporary databases
//! of both kinds, and the contract that every store passes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test fails by panicking; its names say it"
)]

pub mod abuse;
pub mod builders;
pub mod contract;
#[cfg(feature = "persistence")]
pub mod database;
mod system;

#[cfg(feature = "persistence")]
pub use database::draws;
pub use system::{FixedClock, NobodySuspended, NothingMoved, SeededEntropy};
