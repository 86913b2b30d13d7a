//! Sessions of organisations: number, end and a keyed tag over both, kept nowhere.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use idcheck_domain::value::UnifiedBusinessNumber;
use idcheck_usecases::ports::{OwnSession, OwnSessions};

use crate::kernel::{store::Store, vault::Vault};

impl OwnSessions for Vault {
    fn issue(&self, ubn: UnifiedBusinessNumber, expires_at: DateTime<Utc>) -> OwnSession {
        let told = format!("{ubn}.{}", expires_at.timestamp());
        let tag = hex::encode(self.own_session(&told));
        OwnSession::new(ubn, expires_at, format!("{told}.{tag}"))
    }

    fn read(&self, token: &str, now: DateTime<Utc>) -> Option<OwnSession> {
        let (told, tag) = token.rsplit_once('.')?;
        let (ubn, end) = told.split_once('.')?;
        let tag = hex::decode(tag).ok()?;
        if !self.is_own_session(told, &tag) {
            return None;
        }
        let expires_at = DateTime::from_timestamp(end.parse().ok()?, 0).filter(|end| now < *end)?;
        Some(OwnSession::new(UnifiedBusinessNumber::parse(ubn).ok()?, expires_at, token.to_owned()))
    }
}

impl Store {
    pub fn own_sessions(&self) -> Arc<dyn OwnSessions> {
        Arc::new(self.vault.clone())
    }
}
