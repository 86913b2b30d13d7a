//! An officer's work on a case: the queue, one case, the steps of its review (審核).

mod read;
mod review;
mod settlement;

pub use read::{CaseFile, Queue, ReadCases};
pub use review::{Preview, ReviewApplication, ReviewCommand};
pub(crate) use settlement::{close_open_cases, outcome_mail};
