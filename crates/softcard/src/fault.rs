//! What can go wrong on an applicant's computer, on purpose (`--fault`).

use std::fmt;
use std::str::FromStr;

/// A fault of the component, its readers or its cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Absent,
    /// An answer takes ten seconds longer than anybody waits.
    Slow,
    /// A version from before this protocol's nonce and slot choice.
    OldVersion,
    /// The site must be trusted first, at `/addDomain`.
    NotTrusted,
    /// The site is on the component's list of forbidden ones.
    ForbiddenSite,
    /// No reader at all.
    NoReader,
    NoCard,
    /// Several cards, and none chosen.
    SeveralCards,
    /// The PIN counts as wrong, with no tries told.
    WrongPin,
    /// Every card is locked.
    Locked,
    /// The person pressed cancel.
    Cancelled,
    /// The component finds the certificate not yet valid.
    NotYetValid,
    /// The component finds the certificate expired.
    Expired,
    /// Errors come negative, as some versions write them.
    NegativeCodes,
    /// Errors come sign-extended to 64 bits, as other versions write them.
    WideCodes,
    /// Cards that list no certificates, as a health insurance card does.
    NoCertificates,
    /// The content is written as UTF-16LE, as some versions do.
    Utf16,
    /// Signatures without signed attributes.
    NoAttributes,
}

const NAMES: [(&str, Fault); 18] = [
    ("absent", Fault::Absent),
    ("slow", Fault::Slow),
    ("old-version", Fault::OldVersion),
    ("not-trusted", Fault::NotTrusted),
    ("forbidden-site", Fault::ForbiddenSite),
    ("no-reader", Fault::NoReader),
    ("no-card", Fault::NoCard),
    ("several-cards", Fault::SeveralCards),
    ("wrong-pin", Fault::WrongPin),
    ("locked", Fault::Locked),
    ("cancelled", Fault::Cancelled),
    ("not-yet-valid", Fault::NotYetValid),
    ("expired", Fault::Expired),
    ("negative-codes", Fault::NegativeCodes),
    ("wide-codes", Fault::WideCodes),
    ("no-certificates", Fault::NoCertificates),
    ("utf16", Fault::Utf16),
    ("no-attributes", Fault::NoAttributes),
];

impl FromStr for Fault {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, fault)| *fault).ok_or_else(|| {
            let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            format!("unknown fault; known are {}", known.join(", "))
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, fault)| fault == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}
