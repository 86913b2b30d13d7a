//! Proving a challenge: the card's signature is verified and the act is done, exactly once.

use chrono::{DateTime, Utc};
use idcheck_domain::{
    application::{Application, RefusedTransition},
    attachment::{FileReference, Owner},
    card::SigningCard,
    key::RegisteredKey,
    notice::Notice,
    organisation::Organisation,
    plan::ImprovementPlan,
    precondition::Precondition,
    value::{IssKey, UnifiedBusinessNumber},
};
use uuid::Uuid;

use crate::{
    acts::{Act, ActName, ActPorts},
    kernel::Overtaken,
    ports::{
        AttachFile, AuditAction, AuditActor, AuditEntry, AuditSubject, CardRefusal, Change, CommitError,
        HistoryLine, KeptUse, OwnSession, StoreError, StoredChallenge, Webhook,
    },
    usage::UsageReport,
};

/// Why a proof was refused. The challenge is spent by none of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofRefusal {
    /// No such challenge, or it was issued to another browser.
    #[error("no such challenge")]
    UnknownChallenge,
    /// The act was done already.
    #[error("the challenge is spent")]
    Spent,
    /// Its time is over.
    #[error("the challenge is expired")]
    Expired,
    /// The signature or the card.
    #[error(transparent)]
    Card(#[from] CardRefusal),
    /// The organisation may not do this now.
    #[error(transparent)]
    Precondition(#[from] Precondition),
    /// The case may not do this now.
    #[error(transparent)]
    Transition(#[from] RefusedTransition),
    /// Others changed the same thing again and again; the same request may pass later.
    #[error("changed by someone else meanwhile")]
    Conflict,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Overtaken for ProofRefusal {
    fn overtaken(&self) -> bool {
        *self == Self::Conflict
    }
}

impl From<CommitError> for ProofRefusal {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::ChallengeSpent => Self::Spent,
            CommitError::OpenCase => Self::Precondition(Precondition::OpenCase),
            CommitError::KeyKnown => Self::Precondition(Precondition::KeyKnown),
            CommitError::FileUnknown => Self::Precondition(Precondition::FileUnknown),
            CommitError::Conflict | CommitError::AccountTaken => Self::Conflict,
            CommitError::Store(error) => Self::Store(error),
        }
    }
}

/// A case with its history, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressCase {
    /// The case.
    pub application: Application,
    /// Its history, oldest first.
    pub history: Vec<HistoryLine>,
}

/// The answer to a progress query (圖8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The number asked about.
    pub ubn: UnifiedBusinessNumber,
    /// The organisation; none before its first case.
    pub organisation: Option<Organisation>,
    /// Every case, newest first (**decided**).
    pub cases: Vec<ProgressCase>,
    /// Notices that were sent to it, newest first.
    pub notices: Vec<Notice>,
    /// Its improvement plans, newest first.
    pub plans: Vec<ImprovementPlan>,
    /// Its use of the last 30 days, once it has an account; none when the counts can't be read, which the rest need not fail
    /// for.
    pub usage: Option<UsageReport>,
    /// When its keys and host addresses were used last; empty when that can't be read.
    pub uses: Vec<KeptUse>,
    /// When it was asked.
    pub queried_at: DateTime<Utc>,
    /// What reads this again without the card, for a while.
    pub session: OwnSession,
}

/// What an act gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActResult {
    /// A case was filed, answered or withdrawn.
    Application(Box<Application>),
    /// The progress query.
    Progress(Box<Progress>),
    /// The Iss Key, shown or replaced.
    IssKey {
        /// The account; the sandbox has one for all.
        account: String,
        /// The key.
        iss_key: IssKey,
    },
    /// A key was registered.
    KeyRegistered(Box<RegisteredKey>),
    /// A key for the sandbox was registered.
    SandboxKeyRegistered {
        /// The key.
        key: Box<RegisteredKey>,
        /// The organisation's Iss Key in the sandbox.
        iss_key: IssKey,
    },
    /// A key was withdrawn.
    KeyRevoked(Box<RegisteredKey>),
    /// An address that is called was set.
    WebhookSet(Box<Webhook>),
    /// It was removed.
    WebhookRemoved(Box<Webhook>),
    /// The contact was changed.
    Contact(Box<Organisation>),
    /// A notice was explained.
    Notice(Box<Notice>),
    /// An improvement plan was filed.
    ImprovementPlan(Box<ImprovementPlan>),
}

/// An act that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// Which.
    pub act: ActName,
    /// By whom.
    pub ubn: UnifiedBusinessNumber,
    /// What it gave.
    pub result: ActResult,
}

/// An act under way: what every handler of it needs.
pub(crate) struct Signed {
    pub(crate) challenge: Uuid,
    pub(crate) act: ActName,
    pub(crate) ubn: UnifiedBusinessNumber,
    /// The browser session that signs.
    pub(crate) session: Option<[u8; 32]>,
    pub(crate) card: SigningCard,
    pub(crate) now: DateTime<Utc>,
}

impl Signed {
    /// A change that spends the challenge and says in the audit log who did what with which card.
    pub(crate) fn change(&self, subject: impl Into<AuditSubject>) -> Change {
        let actor = AuditActor::Organisation(self.ubn);
        let entry = AuditEntry::new(actor, AuditAction::Act(self.act), subject);
        Change {
            spends: Some((self.challenge, self.now)),
            audit: vec![entry.detail(format!("card:{}", self.card.fingerprint))],
            ..Change::default()
        }
    }
}

impl Signed {
    /// The files of the act, given to what it is about.
    pub(crate) fn attached(&self, files: &[FileReference], owner: Owner) -> Vec<AttachFile> {
        let (sender, ubn, at) = (self.session, self.ubn, self.now);
        let one = |(place, file): (usize, &FileReference)| AttachFile {
            file: *file,
            sender,
            ubn,
            owner,
            place,
            at,
        };
        files.iter().enumerate().map(one).collect()
    }
}

/// Verifies the signature over a challenge and performs its act.
#[derive(Clone)]
pub struct ProveChallenge {
    pub(crate) ports: ActPorts,
}

impl ProveChallenge {
    /// Creates it with these ports.
    pub fn new(ports: ActPorts) -> Self {
        Self { ports }
    }

    /// Does the act of challenge `id` if `cms` is its signature by the right card. `session` is the browser session
    /// that signs; it must be the one that the challenge was issued to.
    ///
    /// # Errors
    /// [`ProofRefusal`]; nothing was changed and the challenge can be signed again while it lasts.
    pub async fn execute(
        &self,
        id: Uuid,
        cms: &[u8],
        session: Option<[u8; 32]>,
    ) -> Result<Proven, ProofRefusal> {
        let now = self.ports.clock.now();
        let challenge = self.ports.challenges.find(id).await?.ok_or(ProofRefusal::UnknownChallenge)?;
        if challenge.session != session {
            return Err(ProofRefusal::UnknownChallenge);
        }
        if challenge.spent_at.is_some() {
            return Err(ProofRefusal::Spent);
        }
        if now >= challenge.expires_at {
            return Err(ProofRefusal::Expired);
        }
        let facts = self.ports.cards.verify(cms, challenge.tbs.as_bytes(), now).await?;
        if facts.ubn != challenge.ubn {
            return Err(CardRefusal::OtherCompany.into());
        }
        let act = self.read_again(&challenge)?;
        let (act_name, ubn) = (challenge.act, challenge.ubn);
        let signed = Signed { challenge: id, act: act_name, ubn, session, card: facts.card, now };
        let result = act.perform(self, &signed).await?;
        Ok(Proven { act: act_name, ubn, result })
    }

    /// The content was valid when the challenge was issued and is read as of then; one that no longer reads was
    /// issued by a version with other rules and counts as expired.
    fn read_again(&self, challenge: &StoredChallenge) -> Result<Act, ProofRefusal> {
        let with = self.ports.reading(challenge.ubn, challenge.issued_at);
        Act::read(challenge.act, &challenge.content, &with).map_err(|_| ProofRefusal::Expired)
    }
}
