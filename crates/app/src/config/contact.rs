//! `[contact]`: who runs the service, and whom people can ask.

use serde::{Deserialize, Serialize};

/// Who runs the service, as the pages say at their end and where something failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ContactConfig {
    /// The agency that runs the service, in Chinese.
    pub(crate) agency: String,
    /// The agency's English name.
    pub(crate) agency_english: String,
    /// A telephone number for questions, as it is to be shown; none is shown where it is not set.
    pub(crate) phone: Option<String>,
    /// An e-mail address for questions; none is shown where it is not set.
    pub(crate) email: Option<String>,
}

impl Default for ContactConfig {
    fn default() -> Self {
        Self {
            agency: "內政部戶政司".to_owned(),
            agency_english: "Department of Household Registration, Ministry of the Interior".to_owned(),
            phone: None,
            email: None,
        }
    }
}
