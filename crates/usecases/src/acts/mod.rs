//! What an applicant does with the card: validate the content, issue a challenge, prove it, act — exactly once.

mod act;
mod cases;
mod challenge;
mod explain;
mod held;
pub(crate) mod name;
mod own;
mod plan;
mod prove;
mod receipt;

pub use act::{Act, CaseContent};
pub use challenge::{ChallengeRefusal, IssueChallenge, IssuedChallenge};
pub use name::ActName;
pub use own::ReadOwn;
pub use prove::{ActResult, Progress, ProgressCase, ProofRefusal, ProveChallenge, Proven};
pub use receipt::ReadReceipt;

use std::sync::Arc;

use chrono::TimeDelta;
use idcheck_domain::value::AddressPolicy;

use crate::{
    ports::{
        Applications, CalendarStore, CardVerifier, Challenges, Changes, Clock, Entropy, ImprovementPlans,
        KeyReader, Notices, Organisations, OwnSessions,
    },
    usage::ReadUsage,
};

/// What the acts need.
#[derive(Clone)]
pub struct ActPorts {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The card.
    pub cards: Arc<dyn CardVerifier>,
    /// Public keys.
    pub keys: Arc<dyn KeyReader>,
    /// Challenges.
    pub challenges: Arc<dyn Challenges>,
    /// Cases.
    pub applications: Arc<dyn Applications>,
    /// Organisations.
    pub organisations: Arc<dyn Organisations>,
    /// Improvement plans.
    pub plans: Arc<dyn ImprovementPlans>,
    /// Notices of abnormal use.
    pub notices: Arc<dyn Notices>,
    /// Sessions of organisations.
    pub sessions: Arc<dyn OwnSessions>,
    /// The working calendar.
    pub calendar: Arc<dyn CalendarStore>,
    /// Counts of use.
    pub usage: ReadUsage,
    /// Changes.
    pub changes: Arc<dyn Changes>,
    /// How long a challenge can be signed.
    pub challenge_life: TimeDelta,
    /// Which host addresses may be registered.
    pub address_policy: AddressPolicy,
    /// How many challenges may wait.
    pub open_challenges: OpenChallenges,
}

/// How many challenges from one address may wait for their signature. An organisation alone has no bound: whoever knows its
/// number could keep it from signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenChallenges {
    /// Of one organisation.
    pub of_organisation: u32,
    /// Of all.
    pub of_address: u32,
}
