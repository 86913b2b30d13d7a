//! `[company_register]`: where the company register comes from.

use serde::{Deserialize, Serialize};

/// Where companies are looked up.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CompanyRegisterConfig {
    /// The address of the GCIS open data on companies (公司登記基本資料); without it the imported snapshot is asked.
    pub(crate) gcis: Option<String>,
    /// Seconds that one request may take.
    pub(crate) timeout: u64,
}

impl Default for CompanyRegisterConfig {
    fn default() -> Self {
        Self { gcis: None, timeout: 5 }
    }
}
