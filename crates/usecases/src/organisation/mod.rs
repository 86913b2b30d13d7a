//! Officers' work on what an organisation holds: revoke with two persons, stop, reopen; and reading it with all that was done
//! about it.
//!
//! A decision is made again from what the store holds when someone else's change came between; what its officer
//! decided on — a request, a plan — is checked by version and state each time.

mod govern;
mod read;

pub use govern::{GovernAccess, RevocationRuling};
pub use read::{OrganisationFile, ReadOrganisations, Waiting};
