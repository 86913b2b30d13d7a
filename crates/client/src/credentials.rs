//! What a company has to ask with. The Iss Key and the private key are secrets: never shown.

use std::fmt;

use idcheck_domain::{
    Violation,
    value::{IssKey, UnifiedBusinessNumber},
};

use crate::key::{KeyError, SigningKey};

/// Longest account on the wire.
const MAX_ACCOUNT: usize = 5;

/// The account (機關帳號), sent as `apId`: 1 to 5 ASCII letters and digits, such as `AW001`, or `SBX00` in the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ApId(String);

impl ApId {
    /// Reads an account; `None` for text that never is one.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed =
            (1..=MAX_ACCOUNT).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The account.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why credentials can't be used. No secret is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// The unified business number breaks this rule.
    #[error("unified business number: {0}")]
    UnifiedBusinessNumber(Violation),
    /// Not 1 to 5 letters and digits.
    #[error("account: not 1 to 5 letters and digits")]
    Account,
    /// Not 32 letters and digits.
    #[error("Iss Key: not 32 letters and digits")]
    IssKey,
    /// The private key.
    #[error("private key: {0}")]
    Key(KeyError),
}

/// A company, its account, its Iss Key and its key.
pub struct Credentials {
    pub(crate) ubn: UnifiedBusinessNumber,
    pub(crate) account: ApId,
    pub(crate) iss_key: IssKey,
    pub(crate) key: SigningKey,
}

impl Credentials {
    /// Reads credentials: unified business number (UBN, 統一編號), account, Iss Key, private key (PKCS#8 in PEM).
    ///
    /// # Errors
    /// The first of them that can't be used.
    pub fn new(
        ubn: &str,
        account: &str,
        iss_key: &str,
        private_key_pem: &str,
    ) -> Result<Self, CredentialsError> {
        Ok(Self {
            ubn: UnifiedBusinessNumber::parse(ubn).map_err(CredentialsError::UnifiedBusinessNumber)?,
            account: ApId::parse(account).ok_or(CredentialsError::Account)?,
            iss_key: IssKey::parse(iss_key).ok_or(CredentialsError::IssKey)?,
            key: SigningKey::from_pem(private_key_pem).map_err(CredentialsError::Key)?,
        })
    }

    /// The key that signs.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("ubn", &self.ubn)
            .field("account", &self.account)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{ApId, Credentials, CredentialsError};
    use crate::{KeyError, KeyKind, SigningKey, Violation};

    const ISS_KEY: &str = "e3yMEJMEppYGbb37BxVaOSX00btXCASk";

    #[test]
    fn each_part_is_looked_at() {
        let pem = SigningKey::generate(KeyKind::P256).unwrap().private_pem;
        let read = |ubn, account, iss_key, pem: &str| Credentials::new(ubn, account, iss_key, pem);
        assert!(read("04595257", "AW001", ISS_KEY, &pem).is_ok());
        for (outcome, expected) in [
            (
                read("12345678", "AW001", ISS_KEY, &pem),
                CredentialsError::UnifiedBusinessNumber(Violation::UbnChecksum),
            ),
            (read("04595257", "AW0011", ISS_KEY, &pem), CredentialsError::Account),
            (read("04595257", "AW001", &ISS_KEY[1..], &pem), CredentialsError::IssKey),
            (read("04595257", "AW001", ISS_KEY, "x"), CredentialsError::Key(KeyError::NotPem)),
        ] {
            assert_eq!(outcome.unwrap_err(), expected);
        }
        assert_eq!(ApId::parse("SBX00").unwrap().as_str(), "SBX00");
    }

    #[test]
    fn the_iss_key_is_not_shown() {
        let made = SigningKey::generate(KeyKind::P256).unwrap();
        let shown =
            format!("{:?}", Credentials::new("04595257", "AW001", ISS_KEY, &made.private_pem).unwrap());
        assert!(!shown.contains(&ISS_KEY[..8]), "{shown}");
        assert!(shown.contains("AW001"), "{shown}");
    }
}
