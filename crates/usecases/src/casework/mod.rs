//! Officers' work on what an organisation holds: revoke and reopen, stop, judge plans and notices.
//!
//! A decision is made again from what the store holds when someone else's change came between; what its officer
//! decided on — a request, a plan — is checked by version and state each time.

mod access;
mod notices;
mod plans;
mod read;
mod sweep;
mod templates;
mod users;

pub use access::{GovernAccess, RevocationRuling};
pub use notices::{HandleNotices, NoticeStep, WatchUsage};
pub use plans::{JudgePlans, PlanRuling};
pub use read::{OrganisationFile, ReadOrganisations, Waiting};
pub use sweep::{SweepCompanies, SweepFile, SweptBy};
pub use templates::{KeepTemplates, TemplateDraft};
pub use users::GovernUsers;
