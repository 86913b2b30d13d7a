//! Mail: leaving the outbox, and what was given up.

mod dead_letters;
mod deliver;

pub use dead_letters::{DeadLetter, DeadLetters};
pub use deliver::{DeliverMail, MAX_ATTEMPTS};
