//! What officers did, with their names.

use std::collections::HashMap;

use idcheck_domain::officer::OfficerId;

/// User names of officers.
pub type OfficerNames = HashMap<OfficerId, String>;

/// A value that names officers by identity, and their user names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<T> {
    /// The value.
    pub value: T,
    /// The user names of all officers.
    pub officers: OfficerNames,
}
