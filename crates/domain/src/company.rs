//! The company register (商工登記) and the yearly sweep by which organisations are compared with it (注意事項 十一).
//!
//! Where the register comes from and how it is asked is not decided here. What can't be read has no finding: a register
//! that does not answer is never "not registered".

use chrono::{DateTime, Utc};

use crate::{
    identity::identity,
    officer::{OfficerId, Permission, Role, permits},
    reason::RecordedReason,
    revocation::{RefusedRuling, Ruling},
    value::{CompanyName, Reason, UnifiedBusinessNumber},
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

/// A name without what people spell in several ways.
fn folded(name: &str) -> String {
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

    /// The word used in the API and the store.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Matches => "matches",
            Self::NameDiffers { .. } => "nameDiffers",
            Self::NotFound => "notFound",
            Self::Dissolved { .. } => "dissolved",
        }
    }

    /// What the register says beside: the other name, or its words for the state.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Matches | Self::NotFound => None,
            Self::NameDiffers { registered: text } | Self::Dissolved { status: text } => Some(text),
        }
    }

    /// The finding of a word and what the register says beside.
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

    /// The reason of the revocation that follows from it, told to the organisation; none where none follows.
    pub fn reason(&self) -> Option<RecordedReason> {
        match self {
            Self::Matches | Self::NameDiffers { .. } => None,
            Self::NotFound => Some(RecordedReason::NotRegistered),
            Self::Dissolved { status } => Some(RecordedReason::CompanyStatus(status.clone())),
        }
    }
}

identity!(
    /// Identity of a sweep.
    SweepId
);

/// One comparison of all organisations with the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// Its identity.
    pub id: SweepId,
    /// Who began it; none where the operator did, on the command line.
    pub begun_by: Option<OfficerId>,
    /// When.
    pub begun_at: DateTime<Utc>,
    /// The register's state that is compared with; none for one that answers with what is so now.
    pub register_of: Option<DateTime<Utc>>,
}

impl Sweep {
    /// Whether this officer can confirm revocations because of it: a second person.
    pub fn may_be_confirmed(&self, officer: OfficerId, role: Role) -> bool {
        self.begun_by != Some(officer) && permits(role, Permission::Confirm)
    }
}

/// What became of an organisation on the worklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet.
    Waiting,
    /// Its access was revoked. Final.
    Revoked(Ruling),
    /// Its access was left as it is. Final.
    Kept(Ruling),
}

impl Outcome {
    /// The word used in the API and the store.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Revoked(_) => "revoked",
            Self::Kept(_) => "kept",
        }
    }

    /// The ruling, once there is one.
    pub const fn ruling(&self) -> Option<&Ruling> {
        match self {
            Self::Waiting => None,
            Self::Revoked(ruling) | Self::Kept(ruling) => Some(ruling),
        }
    }
}

/// An organisation on the worklist of a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepItem {
    /// The organisation.
    pub ubn: UnifiedBusinessNumber,
    /// Its name when the sweep began.
    pub name: CompanyName,
    /// How it compares; none until the register has answered.
    pub finding: Option<Finding>,
    /// What became of it.
    pub outcome: Outcome,
}

impl SweepItem {
    /// An organisation about which the register is to be asked.
    pub const fn unread(ubn: UnifiedBusinessNumber, name: CompanyName) -> Self {
        Self { ubn, name, finding: None, outcome: Outcome::Waiting }
    }

    /// Whether a person is to look at it.
    pub fn waits(&self) -> bool {
        self.outcome == Outcome::Waiting
            && self.finding.as_ref().is_some_and(|finding| *finding != Finding::Matches)
    }

    /// Confirms that its access is to be revoked, and gives the reason; what follows for the organisation is
    /// [`Organisation::revoke`](crate::organisation::Organisation::revoke).
    ///
    /// # Errors
    /// Refused to who began the sweep, where the register gives no ground, and after a ruling.
    pub fn confirm(
        mut self,
        sweep: &Sweep,
        by: OfficerId,
        at: DateTime<Utc>,
    ) -> Result<(Self, RecordedReason), RefusedRuling> {
        self.is_waiting()?;
        if sweep.begun_by == Some(by) {
            return Err(RefusedRuling::SamePerson);
        }
        let reason = self.finding.as_ref().and_then(Finding::reason).ok_or(RefusedRuling::NoGround)?;
        self.outcome = Outcome::Revoked(Ruling { by, at, note: None });
        Ok((self, reason))
    }

    /// Leaves access as it is.
    ///
    /// # Errors
    /// Refused while the register has not answered, and after a ruling.
    pub fn keep(mut self, by: OfficerId, note: Reason, at: DateTime<Utc>) -> Result<Self, RefusedRuling> {
        self.is_waiting()?;
        if self.finding.is_none() {
            return Err(RefusedRuling::NoGround);
        }
        self.outcome = Outcome::Kept(Ruling { by, at, note: Some(note) });
        Ok(self)
    }

    fn is_waiting(&self) -> Result<(), RefusedRuling> {
        if self.outcome == Outcome::Waiting { Ok(()) } else { Err(RefusedRuling::Decided) }
    }
}
