//! Whether an officer may do it: asked before any port is.

use idcheck_domain::officer::{Permission, permits};

use crate::{kernel::Refusal, ports::Officer};

pub(crate) fn permit(officer: &Officer, permission: Permission) -> Result<(), Refusal> {
    if permits(officer.role, permission) { Ok(()) } else { Err(Refusal::Forbidden) }
}
