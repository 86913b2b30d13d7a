//! Software cards behind the protocol of the local signing component (跨平台網頁元件), for the demo and for tests.
//!
//! [`DemoPki`] makes a root, a company CA, CAs of other cards, and cards shaped like the real ones, once, in a folder;
//! [`Component`] is the component with those cards in its readers; [`serve`] answers its HTTP requests.
//!
//! Nothing here is trusted by anybody who was not configured to: the anchors exist only in that folder. This crate
//! shares no code with the verifier, so that the two can't be wrong in the same way, and must never be part of a
//! production server.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod card;
mod cms;
mod component;
mod demo;
mod der;
mod fault;
mod pki;
mod protocol;
mod role;
mod server;

pub use card::{CardKind, CardState, SoftCard};
pub use component::Component;
pub use demo::{DemoPki, refresh_crls, revoke};
pub use fault::Fault;
pub use server::serve;

/// Where the current time comes from: real in programs, fixed in tests.
pub type Clock = std::sync::Arc<dyn Fn() -> chrono::DateTime<chrono::Utc> + Send + Sync>;
