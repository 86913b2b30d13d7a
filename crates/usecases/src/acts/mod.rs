//! What an applicant does with the card: validate the content, issue a challenge, prove it, act — exactly once.
//!
//! An act is a file here: a struct of its content, declared with [`schema::content!`], whose `perform` does it. `acts!`
//! names them all; reading, form, API schema and dispatch follow from the two.

mod answer_clarification;
mod apply;
mod challenge;
mod change_address;
mod change_contact;
mod explain;
mod filing;
mod held;
mod own;
mod progress;
mod prove;
mod receipt;
mod register_key;
mod remove_webhook;
mod reveal_iss_key;
mod revoke_key;
mod rotate_iss_key;
pub mod schema;
mod set_webhook;
mod submit_improvement_plan;
mod suspend;
mod withdraw;

pub use challenge::{ChallengeRefusal, ChallengeState, HeldChallenge, IssueChallenge, IssuedChallenge};
pub use own::ReadOwn;
pub use prove::{ActResult, Progress, ProgressCase, ProofRefusal, ProveChallenge, Proven};
pub use receipt::{Gave, ReadReceipt, Receipt};

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    attachment::FileReference,
    value::{AddressPolicy, UnifiedBusinessNumber},
};

use crate::{
    kernel::content::{Content, FieldViolation, Fields},
    ports::{
        Applications, Attachments, CalendarStore, CardVerifier, Challenges, Changes, Clock, Entropy,
        ImprovementPlans, KeyReader, LastUses, Notices, Organisations, OwnSessions, Webhooks,
    },
    usage::ReadUsage,
};

/// Lists the acts: name, identifier and the type of the content.
macro_rules! acts {
    ($($(#[doc = $doc:literal])* $act:ident as $name:literal: $content:path,)*) => {
        /// The acts, named as in the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ActName {
            $($(#[doc = $doc])* $act,)*
        }

        impl ActName {
            /// All acts.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$act),*];

            /// Stable identifier, in the API, the challenge and the store.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$act => $name,)*
                }
            }

            /// The act of that identifier.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|act| act.as_str() == text)
            }

            /// What its content consists of.
            pub const fn content(self) -> schema::Group {
                match self {
                    $(Self::$act => <$content>::GROUP,)*
                }
            }
        }

        /// An act with its validated content.
        pub(crate) enum Act {
            $($act(Box<$content>),)*
        }

        impl Act {
            /// Reads the content of an act.
            ///
            /// # Errors
            /// Every violation, each with its pointer.
            pub(crate) fn read(
                name: ActName,
                content: &Content,
                with: &schema::Reading<'_>,
            ) -> Result<Self, Vec<FieldViolation>> {
                let mut fields = Fields::of(content);
                let act = match name {
                    $(ActName::$act => {
                        <$content>::read(&mut fields, "", with).map(|content| Self::$act(Box::new(content)))
                    })*
                };
                fields.finish(act)
            }

            async fn perform(
                &self,
                by: &ProveChallenge,
                signed: &prove::Signed,
            ) -> Result<ActResult, ProofRefusal> {
                match self {
                    $(Self::$act(content) => content.perform(by, signed).await,)*
                }
            }
        }
    };
}

acts! {
    /// File an `Apply` case.
    Apply as "apply": apply::Apply,
    /// File a `ChangeAddress` case.
    ChangeAddress as "changeAddress": change_address::ChangeAddress,
    /// File a `Suspend` case.
    Suspend as "suspend": suspend::Suspend,
    /// Read one's cases (圖7).
    Progress as "progress": progress::ReadProgress,
    /// See the Iss Key; needs a fresh signature (**decided**).
    RevealIssKey as "revealIssKey": reveal_iss_key::RevealIssKey,
    /// Replace a leaked Iss Key at once (**decided**).
    RotateIssKey as "rotateIssKey": rotate_iss_key::RotateIssKey,
    /// Name the address that is called when something happens (**decided**).
    SetWebhook as "setWebhook": set_webhook::SetWebhook,
    /// End the calls.
    RemoveWebhook as "removeWebhook": remove_webhook::RemoveWebhook,
    /// Register a public key; no review (**decided**).
    RegisterKey as "registerKey": register_key::RegisterKey,
    /// Withdraw a public key.
    RevokeKey as "revokeKey": revoke_key::RevokeKey,
    /// Change the contact; no review (**decided**).
    ChangeContact as "changeContact": change_contact::ChangeContact,
    /// Answer a clarification (注意事項 五).
    AnswerClarification as "answerClarification": answer_clarification::AnswerClarification,
    /// Explain a notice of abnormal use (注意事項 九).
    Explain as "explain": explain::Explain,
    /// File an improvement plan after a revocation (注意事項 十).
    SubmitImprovementPlan as "submitImprovementPlan": submit_improvement_plan::SubmitImprovementPlan,
    /// Take a case back (**decided**).
    Withdraw as "withdraw": withdraw::Withdraw,
}

impl Act {
    /// The files that it names.
    fn files(&self) -> &[FileReference] {
        match self {
            Self::AnswerClarification(content) => &content.files.0,
            Self::Explain(content) => &content.files.0,
            _ => &[],
        }
    }
}

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
    /// Addresses that are called.
    pub webhooks: Arc<dyn Webhooks>,
    /// Files that were sent for an act.
    pub attachments: Arc<dyn Attachments>,
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
    /// When keys and host addresses were used last.
    pub uses: Arc<dyn LastUses>,
    /// Changes.
    pub changes: Arc<dyn Changes>,
    /// How long a challenge can be signed.
    pub challenge_life: TimeDelta,
    /// Which host addresses may be registered.
    pub address_policy: AddressPolicy,
    /// How many challenges may wait.
    pub open_challenges: OpenChallenges,
}

impl ActPorts {
    /// What a content of `ubn` that was typed at a moment is read against.
    fn reading(&self, ubn: UnifiedBusinessNumber, now: DateTime<Utc>) -> schema::Reading<'_> {
        schema::Reading { ubn, now, addresses: self.address_policy, keys: &*self.keys }
    }
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
