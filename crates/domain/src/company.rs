//! The company register (商工登記), and how an organisation compares with it (注意事項 十一).
//!
//! Where the register comes from and how it is asked is not decided here. What can't be read has no finding: a register
//! that does not answer is never "not registered".

use crate::{
    reason::RecordedReason,
    value::{CompanyName, UnifiedBusinessNumber},
};

/// A company as the register has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyRecord {
    /// Its number.
    pub ubn: UnifiedBusinessNumber,
    /// Its name.
    pub name: String,
    /// The register's words for its state (公司登記現況), such as 核准設立; none in a register of current ones only.
    pub status: Option<String>,
}

/// What the register's words for a state hold when the company is no longer a current one (已非現行登記).
const ENDED: [&str; 7] = ["解散", "撤銷", "廢止", "撤回", "破產", "歇業", "清算"];

impl CompanyRecord {
    /// The register's words where they say that the company is no longer a current one.
    pub fn ended(&self) -> Option<&str> {
        self.status.as_deref().filter(|status| ENDED.iter().any(|word| status.contains(word)))
    }
}

/// Whether two spellings are of one name: full or half width, 台 or 臺, upper or lower case and blanks do not count.
pub fn same_name(one: &str, other: &str) -> bool {
    let one = folded(one);
    !one.is_empty() && one == folded(other)
}

/// A name without what people spell in several ways: full width as half width, 台 as 臺, small letters, no blanks. Two names that are told
/// apart by nothing else are the same text.
pub fn folded(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            // FULLWIDTH EXCLAMATION MARK to FULLWIDTH TILDE stand in the order of ASCII.
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            '台' => '臺',
            other => other,
        })
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

/// How an organisation compares with the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A current company of that name.
    Matches,
    /// A current company of another name; an officer finds out why. It is registered, so access is not revoked for it
    /// (**decided**).
    NameDiffers {
        /// The register's name.
        registered: String,
    },
    /// No company of that number.
    NotFound,
    /// No longer a current company.
    Dissolved {
        /// The register's words.
        status: String,
    },
}

impl Finding {
    /// Compares an organisation's name with the register's answer about its number.
    pub fn of(name: &CompanyName, record: Option<&CompanyRecord>) -> Self {
        match record {
            None => Self::NotFound,
            Some(record) => match record.ended() {
                Some(status) => Self::Dissolved { status: status.to_owned() },
                None if same_name(name.as_str(), &record.name) => Self::Matches,
                None => Self::NameDiffers { registered: record.name.clone() },
            },
        }
    }

    /// Stable identifier, in the API and the store.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Matches => "matches",
            Self::NameDiffers { .. } => "nameDiffers",
            Self::NotFound => "notFound",
            Self::Dissolved { .. } => "dissolved",
        }
    }

    /// What the register also says: the other name, or its words for the state.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Matches | Self::NotFound => None,
            Self::NameDiffers { registered: text } | Self::Dissolved { status: text } => Some(text),
        }
    }

    /// The finding of an identifier and what the register also says.
    pub fn parse(word: &str, detail: Option<&str>) -> Option<Self> {
        let text = detail.unwrap_or_default().to_owned();
        Some(match word {
            "matches" => Self::Matches,
            "nameDiffers" => Self::NameDiffers { registered: text },
            "notFound" => Self::NotFound,
            "dissolved" => Self::Dissolved { status: text },
            _ => return None,
        })
    }

    /// The reason of the revocation that follows from it, reported to the organisation; none where none follows.
    pub fn reason(&self) -> Option<RecordedReason> {
        match self {
            Self::Matches | Self::NameDiffers { .. } => None,
            Self::NotFound => Some(RecordedReason::NotRegistered),
            Self::Dissolved { status } => Some(RecordedReason::CompanyStatus(status.clone())),
        }
    }
}
