//! The JSON that page and component exchange, and the component's error codes (card.md).

use std::fmt;

use serde::{Deserialize, Serialize};

/// `MakeSignature`, as the page posts it. Booleans are strings there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignRequest {
    pub(crate) func: String,
    #[serde(default)]
    pub(crate) signature_type: String,
    #[serde(default)]
    pub(crate) tbs: String,
    #[serde(default)]
    pub(crate) tbs_encoding: String,
    #[serde(default)]
    pub(crate) hash_algorithm: String,
    #[serde(default, rename = "withCardSN")]
    pub(crate) with_card_sn: String,
    #[serde(default)]
    pub(crate) pin: String,
    #[serde(default)]
    pub(crate) nonce: String,
    pub(crate) slot_description: Option<String>,
}

impl fmt::Debug for SignRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignRequest")
            .field("func", &self.func)
            .field("slot", &self.slot_description)
            .finish_non_exhaustive()
    }
}

/// The answer to `MakeSignature`; on errors without signature, certificate and card number.
#[derive(Debug, Serialize)]
pub(crate) struct SignAnswer {
    pub(crate) func: &'static str,
    pub(crate) ret_code: i128,
    pub(crate) last_error: i128,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certb64: Option<String>,
    #[serde(rename = "cardSN", skip_serializing_if = "Option::is_none")]
    pub(crate) card_sn: Option<String>,
    #[serde(rename = "serverVersion")]
    pub(crate) server_version: &'static str,
}

/// The answer to `GetUserCert` and `CheckEnvir`.
#[derive(Debug, Serialize)]
pub(crate) struct InfoAnswer {
    pub(crate) func: &'static str,
    pub(crate) ret_code: i128,
    pub(crate) last_error: i128,
    #[serde(rename = "serverVersion")]
    pub(crate) server_version: &'static str,
    pub(crate) slots: Vec<Slot>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Slot {
    pub(crate) slot_description: String,
    /// Absent when the reader is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<Token>,
}

/// A card as the component lists it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Token {
    pub(crate) serial_number: String,
    pub(crate) certs: Vec<Cert>,
}

/// A certificate as the component lists it.
#[derive(Debug, Serialize)]
pub(crate) struct Cert {
    pub(crate) label: &'static str,
    pub(crate) usage: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certb64: Option<String>,
    #[serde(rename = "subjectDN")]
    pub(crate) subject_dn: String,
    #[serde(rename = "subjectID")]
    pub(crate) subject_id: String,
    #[serde(rename = "issuerDN")]
    pub(crate) issuer_dn: String,
    pub(crate) sn: String,
    #[serde(rename = "notBefore")]
    pub(crate) not_before: String,
    #[serde(rename = "notAfter")]
    pub(crate) not_after: String,
}

/// An error: `ret_code` and `last_error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) ret_code: i128,
    pub(crate) last_error: i128,
}

impl Failure {
    pub(crate) const NO_CARD: Self = Self::of(0x7600_0006);
    pub(crate) const BAD_JSON: Self = Self::of(0x7600_000B);
    pub(crate) const BAD_PARAMETER: Self = Self::of(0x7600_000C);
    pub(crate) const UNSUPPORTED: Self = Self::of(0x7600_000E);
    pub(crate) const FORBIDDEN_SITE: Self = Self::of(0x7600_000F);
    pub(crate) const SITE_NOT_TRUSTED: Self = Self::of(0x7600_0031);
    pub(crate) const NOTHING_TO_SIGN: Self = Self::of(0x7600_0003);
    pub(crate) const NO_PIN: Self = Self::of(0x7600_0998);
    pub(crate) const CANCELLED: Self = Self::of(0x7600_0999);
    pub(crate) const NO_READER: Self = Self::of(0x7610_0003);
    pub(crate) const CARD_NOT_FOUND: Self = Self::of(0x7610_000C);
    pub(crate) const SIGNING_FAILED: Self = Self::of(0x7630_0004);
    pub(crate) const NOT_YET_VALID: Self = Self::of(0x7650_0001);
    pub(crate) const EXPIRED: Self = Self::of(0x7650_0002);
    pub(crate) const BAD_BASE64: Self = Self::of(0x7660_0002);
    pub(crate) const WRONG_PIN: Self = Self::login(0xA0);
    pub(crate) const PIN_LENGTH: Self = Self::login(0xA2);
    pub(crate) const LOCKED: Self = Self::login(0xA4);

    const fn of(ret_code: i128) -> Self {
        Self { ret_code, last_error: 0 }
    }

    /// The card did not take the PIN, for the reason in `last_error`.
    const fn login(last_error: i128) -> Self {
        Self { ret_code: 0x7610_0006, last_error }
    }

    /// A wrong PIN with the tries left, which newer versions tell.
    pub(crate) const fn wrong_pin(tries_left: u8) -> Self {
        match tries_left {
            1 => Self::login(-2_147_483_647),
            2 => Self::login(-2_147_483_646),
            _ => Self::WRONG_PIN,
        }
    }

    /// As versions write it that sign-extend: the same code below zero.
    pub(crate) const fn negative(self) -> Self {
        Self { ret_code: below_zero(self.ret_code), last_error: below_zero(self.last_error) }
    }

    /// As versions write it that sign-extend and print what came of it as 64 bits without a sign.
    pub(crate) const fn wide(self) -> Self {
        Self { ret_code: wide(self.ret_code), last_error: wide(self.last_error) }
    }
}

const fn below_zero(code: i128) -> i128 {
    if code > 0 { code - (1 << 32) } else { code }
}

const fn wide(code: i128) -> i128 {
    let negative = below_zero(code);
    if negative < 0 { negative + (1 << 64) } else { negative }
}
