//! One card: whose it is, its key and certificate, its PIN and how often it was wrong.

use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;

use serde::{Deserialize, Serialize};

use crate::pki::SigningKey;

/// Whose card it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CardKind {
    /// 工商憑證.
    Company,
    /// 自然人憑證.
    Personal,
    /// 政府憑證.
    Government,
}

/// What is special about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CardState {
    Valid,
    /// Its certificate has run out.
    Expired,
    /// Its certificate is on its issuer's list.
    Revoked,
    /// Three wrong PINs were entered.
    Locked,
}

/// Wrong PINs until a card locks.
const TRIES: u8 = 3;

/// A software card in its reader.
pub struct SoftCard {
    pub(crate) record: CardRecord,
    pub(crate) key: SigningKey,
    pub(crate) certificate: Vec<u8>,
    wrong_pins: Mutex<u8>,
}

/// What is kept about a card besides key and certificate.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CardRecord {
    pub(crate) slot: String,
    pub(crate) kind: CardKind,
    pub(crate) state: CardState,
    pub(crate) unified_business_number: Option<String>,
    pub(crate) company_name: Option<String>,
    /// The subject's name, as the component shows it.
    pub(crate) subject: String,
    pub(crate) issuer: String,
    /// Number printed on the card.
    pub(crate) card_number: String,
    /// The certificate's serial number, hexadecimal.
    pub(crate) serial: String,
    pub(crate) issuer_der: String,
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
    pub(crate) pin: String,
}

/// How a PIN was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PinCheck {
    Right,
    /// With the tries left.
    Wrong(u8),
    Locked,
}

impl SoftCard {
    pub(crate) fn new(record: CardRecord, key: SigningKey, certificate: Vec<u8>) -> Self {
        let wrong_pins = Mutex::new(if record.state == CardState::Locked { TRIES } else { 0 });
        Self { record, key, certificate, wrong_pins }
    }

    /// The reader's name (`slotDescription`).
    pub fn slot(&self) -> &str {
        &self.record.slot
    }

    /// Whose card it is.
    pub const fn kind(&self) -> CardKind {
        self.record.kind
    }

    /// What is special about it.
    pub const fn state(&self) -> CardState {
        self.record.state
    }

    /// The company's number; personal and government cards have none.
    pub fn unified_business_number(&self) -> Option<&str> {
        self.record.unified_business_number.as_deref()
    }

    /// The company's name; the agency's for a government card; none for a personal one.
    pub fn company_name(&self) -> Option<&str> {
        self.record.company_name.as_deref()
    }

    /// The PIN, for `demo.json`.
    pub fn pin(&self) -> &str {
        &self.record.pin
    }

    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Compares a PIN and counts. The right one clears the count; a locked card takes none.
    pub(crate) fn enter_pin(&self, pin: &str) -> PinCheck {
        let mut wrong = self.wrong_pins.lock().unwrap_or_else(PoisonError::into_inner);
        if *wrong >= TRIES {
            return PinCheck::Locked;
        }
        if pin == self.record.pin {
            *wrong = 0;
            return PinCheck::Right;
        }
        *wrong += 1;
        if *wrong >= TRIES { PinCheck::Locked } else { PinCheck::Wrong(TRIES - *wrong) }
    }
}

impl fmt::Debug for SoftCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CardRecord { slot, kind, state, .. } = &self.record;
        f.debug_struct("SoftCard")
            .field("slot", slot)
            .field("kind", kind)
            .field("state", state)
            .finish_non_exhaustive()
    }
}
