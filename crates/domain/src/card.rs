//! The company card (工商憑證) that signed a case: what its certificate says, kept with the case so that an officer sees
//! it and its status can be asked for again. Whether a certificate is to be believed is not decided here.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::{company::same_name, value::CompanyName, words::words};

words! {
    /// 正卡 or 附卡; both may sign (注意事項 三).
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum CardRole(as_str) {
        /// 正卡.
        Primary = "primary",
        /// 附卡.
        Secondary = "secondary",
    }
}

/// The certificate of the card that signed, as it was accepted.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningCard {
    /// The company's name, from the certificate's subject.
    pub company_name: String,
    /// 正卡 or 附卡, where the certificate says.
    pub role: Option<CardRole>,
    /// The certificate's serial number, lower-case hexadecimal.
    pub serial: String,
    /// The issuer's distinguished name (RFC 4514).
    pub issuer: String,
    /// Start of validity.
    pub not_before: DateTime<Utc>,
    /// End of validity.
    pub not_after: DateTime<Utc>,
    /// SHA-256 of the certificate, lower-case hexadecimal.
    pub fingerprint: String,
    /// The certificates of the accepted path in DER, the card's first, without the anchor: enough to judge the card
    /// again even where an intermediate came along with the signature and is not configured.
    pub chain: Vec<Vec<u8>>,
}

impl SigningCard {
    /// Whether the name typed in the form is the certificate's, spelled differently or not
    /// ([`same_name`]). An officer judges the rest.
    pub fn bears(&self, typed: &CompanyName) -> bool {
        same_name(&self.company_name, typed.as_str())
    }
}

impl fmt::Debug for SigningCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningCard").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}
