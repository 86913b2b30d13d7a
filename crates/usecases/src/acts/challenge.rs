//! Issuing a challenge: the text that the card signs.
//!
//! It binds the act, the company, the digest of the exact content and an end (threat 16), and is spent once.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use idcheck_domain::{Violation, attachment::FileReference, value::UnifiedBusinessNumber};
use uuid::Uuid;

use crate::{
    acts::{Act, ActName, ActPorts, OpenChallenges, schema::Files},
    kernel::{
        content::{Content, FieldViolation},
        network,
    },
    ports::{StoreError, StoredChallenge, Waiting},
};

/// Why no challenge was issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeRefusal {
    /// Fields of the content break rules; all of them are reported.
    #[error("the content breaks {} rules", .0.len())]
    Content(Vec<FieldViolation>),
    /// No such challenge of this browser session, or it was used.
    #[error("no such challenge")]
    Unknown,
    /// Too many that were asked for from the same place wait for their signature.
    #[error("too many challenges wait for their signature")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A challenge as the applicant receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedChallenge {
    /// Its identity.
    pub id: Uuid,
    /// The text to be signed.
    pub tbs: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// What became of a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeState {
    /// It waits for its signature.
    Waiting,
    /// Its time is over; the same content can have another one.
    Over,
    /// The act was done.
    Spent,
}

/// A challenge as the browser session that it was issued to gets it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldChallenge {
    /// The act.
    pub act: ActName,
    /// The company.
    pub ubn: UnifiedBusinessNumber,
    /// What was typed.
    pub content: Content,
    /// The text to be signed.
    pub tbs: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// What became of it.
    pub state: ChallengeState,
}

/// Validates the content of an act and issues a challenge for it.
#[derive(Clone)]
pub struct IssueChallenge {
    ports: ActPorts,
}

impl IssueChallenge {
    /// Creates it with these ports.
    pub fn new(ports: ActPorts) -> Self {
        Self { ports }
    }

    /// Validates only, for a page that shows the answers before they are signed.
    ///
    /// # Errors
    /// Every violation.
    pub fn validate(
        &self,
        act: ActName,
        ubn: UnifiedBusinessNumber,
        content: &Content,
    ) -> Result<(), Vec<FieldViolation>> {
        self.read(act, ubn, content).map(drop)
    }

    fn read(
        &self,
        act: ActName,
        ubn: UnifiedBusinessNumber,
        content: &Content,
    ) -> Result<Act, Vec<FieldViolation>> {
        Act::read(act, content, &self.ports.reading(ubn, self.ports.clock.now()))
    }

    /// Whether the files of an act are there, so that nobody signs in vain; looked at again when the act is done.
    async fn files_wait(
        &self,
        files: &[FileReference],
        session: Option<[u8; 32]>,
    ) -> Result<(), ChallengeRefusal> {
        if files.is_empty() {
            return Ok(());
        }
        let there = self.ports.attachments.waiting(files, session, self.ports.clock.now()).await?;
        let gone =
            files.iter().enumerate().filter(|(_, file)| !there.iter().any(|one| one.reference == **file));
        let gone = gone.map(|(place, _)| FieldViolation {
            pointer: format!("{}/{place}", Files::POINTER),
            violation: Violation::FileUnknown,
        });
        let gone: Vec<_> = gone.collect();
        if gone.is_empty() { Ok(()) } else { Err(ChallengeRefusal::Content(gone)) }
    }

    /// The challenge that was issued to this browser session; none of another one's.
    ///
    /// # Errors
    /// The store's.
    pub async fn held(&self, id: Uuid, session: [u8; 32]) -> Result<Option<HeldChallenge>, StoreError> {
        let found = self.ports.challenges.find(id).await?.filter(|found| found.session == Some(session));
        Ok(found.map(|found| HeldChallenge {
            state: match found.spent_at {
                Some(_) => ChallengeState::Spent,
                None if self.ports.clock.now() >= found.expires_at => ChallengeState::Over,
                None => ChallengeState::Waiting,
            },
            act: found.act,
            ubn: found.ubn,
            content: found.content,
            tbs: found.tbs,
            expires_at: found.expires_at,
        }))
    }

    /// Issues another challenge for the content of one that was not used, with the whole time. The content is judged as of now.
    ///
    /// # Errors
    /// [`ChallengeRefusal`].
    pub async fn again(
        &self,
        id: Uuid,
        session: [u8; 32],
        from: IpAddr,
    ) -> Result<IssuedChallenge, ChallengeRefusal> {
        let held = self.held(id, session).await?.filter(|held| held.state != ChallengeState::Spent);
        let HeldChallenge { act, ubn, content, .. } = held.ok_or(ChallengeRefusal::Unknown)?;
        self.execute(act, ubn, content, Some(session), from).await
    }

    /// Issues the challenge to whoever asks `from` an address, bound to a browser session where there is one. Preconditions are not checked here:
    /// only the one who holds the card may learn the state of an organisation.
    ///
    /// # Errors
    /// [`ChallengeRefusal`].
    pub async fn execute(
        &self,
        act: ActName,
        ubn: UnifiedBusinessNumber,
        content: Content,
        session: Option<[u8; 32]>,
        from: IpAddr,
    ) -> Result<IssuedChallenge, ChallengeRefusal> {
        let read = self.read(act, ubn, &content).map_err(ChallengeRefusal::Content)?;
        self.files_wait(read.files(), session).await?;
        let now = self.ports.clock.now();
        let id = self.ports.entropy.uuid(now);
        let expires_at = now + self.ports.challenge_life;
        let tbs = tbs(id, act, ubn, expires_at, &content.digest(), &self.ports.entropy.bytes::<16>());
        let challenge = StoredChallenge {
            id,
            act,
            ubn,
            content,
            tbs: tbs.clone(),
            session,
            issued_at: now,
            expires_at,
            spent_at: None,
        };
        let ActPorts { open_challenges: OpenChallenges { of_organisation, of_address }, .. } = self.ports;
        let waiting = Waiting { origin: network(from), of_organisation, of_origin: of_address };
        if !self.ports.changes.issue_challenge(challenge, &waiting).await? {
            return Err(ChallengeRefusal::TooMany);
        }
        Ok(IssuedChallenge { id, tbs, expires_at })
    }
}

/// Letters, digits, hyphens and full stops only: the component escapes nothing of it.
fn tbs(
    id: Uuid,
    act: ActName,
    ubn: UnifiedBusinessNumber,
    expires_at: DateTime<Utc>,
    digest: &[u8; 32],
    nonce: &[u8; 16],
) -> String {
    let end = expires_at.timestamp();
    format!("idcheck-1.{id}.{}.{ubn}.{end}.{}.{}", act.as_str(), hex::encode(digest), hex::encode(nonce))
}
