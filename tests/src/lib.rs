//! What the suites share: the real programs as processes, a card, an officer, a company's program.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test fails by panicking; its names say it; it has its own clock"
)]

mod caller;
mod campaign;
mod cluster;
mod console;
mod files;
mod people;
mod process;
mod site;

pub use caller::{Caller, Reply, Signer, ed25519, interpreter, is_here, python};
pub use campaign::{Asked, ask, recorded, whole};
pub use cluster::Cluster;
pub use console::{Console, Shown};
pub use files::FileServer;
pub use people::{Applicant, Officer, json};
pub use process::{Demo, Nodes, Process, free_port, idcheck, program, shell, wait_ready};
pub use site::{Random, Site, count_from};
