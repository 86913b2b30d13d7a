//! `demo.json`: what people and scripts need to know of a demo.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What people and scripts need to know; written to `demo.json`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DemoFile {
    pub(super) base_url: String,
    pub(super) softcard_url: String,
    pub(super) cards: Vec<CardEntry>,
    pub(super) officers: Vec<OfficerEntry>,
    pub(super) persons: Vec<PersonEntry>,
    pub(super) consent: ConsentEntry,
    pub(super) mail_dir: PathBuf,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CardEntry {
    pub(super) slot: String,
    pub(super) kind: serde_json::Value,
    pub(super) state: serde_json::Value,
    pub(super) unified_business_number: Option<String>,
    pub(super) company_name: Option<String>,
    pub(super) pin: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfficerEntry {
    pub(super) username: String,
    pub(super) password: String,
    pub(super) totp_secret: String,
    pub(super) role: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PersonEntry {
    pub(super) person_id: String,
    pub(super) apply_code: String,
    pub(super) apply_yyymmdd: String,
    pub(super) issue_site_id: String,
    pub(super) status: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConsentEntry {
    pub(super) notice_version: String,
    pub(super) conduct_version: String,
}
