//! The acts by name.

/// The acts, named as in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActName {
    /// File an `Apply` case.
    Apply,
    /// File a `ChangeAddress` case.
    ChangeAddress,
    /// File a `Suspend` case.
    Suspend,
    /// Read one's cases (圖7).
    Progress,
    /// See the Iss Key; needs a fresh signature (**decided**).
    RevealIssKey,
    /// Replace a leaked Iss Key at once (**decided**).
    RotateIssKey,
    /// Register a public key; no review (**decided**).
    RegisterKey,
    /// Withdraw a public key.
    RevokeKey,
    /// Change the contact; no review (**decided**).
    ChangeContact,
    /// Answer a clarification (注意事項 五).
    AnswerClarification,
    /// Explain a notice of abnormal use (注意事項 九).
    Explain,
    /// File an improvement plan after a revocation (注意事項 十).
    SubmitImprovementPlan,
    /// Take a case back (**decided**).
    Withdraw,
}

impl ActName {
    /// All acts.
    pub const ALL: [Self; 13] = [
        Self::Apply,
        Self::ChangeAddress,
        Self::Suspend,
        Self::Progress,
        Self::RevealIssKey,
        Self::RotateIssKey,
        Self::RegisterKey,
        Self::RevokeKey,
        Self::ChangeContact,
        Self::AnswerClarification,
        Self::Explain,
        Self::SubmitImprovementPlan,
        Self::Withdraw,
    ];

    /// The word used in the API, the challenge and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "apply",
            Self::ChangeAddress => "changeAddress",
            Self::Suspend => "suspend",
            Self::Progress => "progress",
            Self::RevealIssKey => "revealIssKey",
            Self::RotateIssKey => "rotateIssKey",
            Self::RegisterKey => "registerKey",
            Self::RevokeKey => "revokeKey",
            Self::ChangeContact => "changeContact",
            Self::AnswerClarification => "answerClarification",
            Self::Explain => "explain",
            Self::SubmitImprovementPlan => "submitImprovementPlan",
            Self::Withdraw => "withdraw",
        }
    }

    /// The act of that word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == text)
    }
}
