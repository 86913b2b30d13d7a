//! What an act gave, shown once more to the browser that signed it: a page that can be reloaded and gone back to.

use chrono::{DateTime, TimeDelta, Utc};
use idcheck_domain::{
    application::{Application, ApplicationId},
    key::{Environment, RegisteredKey},
    value::{CaseNumber, IssKey},
};
use uuid::Uuid;

use crate::{
    acts::{ActName, ActPorts},
    ports::{StoreError, StoredChallenge, Webhook},
};

/// How long after the signature an Iss Key or the secret of a webhook is still shown: it needs a fresh one (**decided**).
const FRESH: TimeDelta = TimeDelta::minutes(2);

/// What an act gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gave {
    /// A case was filed, answered or withdrawn.
    Case(Box<Application>),
    /// A key was registered or withdrawn.
    Key(Box<RegisteredKey>),
    /// An Iss Key, while the signature is fresh.
    IssKey {
        /// Of which environment.
        environment: Environment,
        /// The account; the sandbox has one for all.
        account: String,
        /// The key.
        iss_key: IssKey,
        /// The key that was registered with it.
        key: Option<Box<RegisteredKey>>,
    },
    /// The address that is called with its secret, while the signature is fresh.
    Webhook(Box<Webhook>),
    /// Nothing to show, or no more.
    Done,
}

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Which act.
    pub act: ActName,
    /// What it gave.
    pub gave: Gave,
}

/// Shows what an act gave to the browser session whose challenge it was.
#[derive(Clone)]
pub struct ReadReceipt {
    ports: ActPorts,
}

impl ReadReceipt {
    /// Creates it with these ports.
    pub fn new(ports: ActPorts) -> Self {
        Self { ports }
    }

    /// The challenge, if it was issued to this session and spent, and when.
    async fn spent(
        &self,
        challenge: Uuid,
        session: [u8; 32],
    ) -> Result<Option<(StoredChallenge, DateTime<Utc>)>, StoreError> {
        let found =
            self.ports.challenges.find(challenge).await?.filter(|found| found.session == Some(session));
        Ok(found.and_then(|found| Some((found.spent_at?, found))).map(|(at, found)| (found, at)))
    }

    /// The case, if `challenge` was issued to this session and filed it. No other session learns that it exists.
    ///
    /// # Errors
    /// The store's.
    pub async fn filed(
        &self,
        number: &CaseNumber,
        challenge: Uuid,
        session: [u8; 32],
    ) -> Result<Option<Application>, StoreError> {
        let Some((challenge, spent_at)) = self.spent(challenge, session).await? else { return Ok(None) };
        let case = self.ports.applications.find_by_case_number(number).await?.map(|case| case.value);
        Ok(case.filter(|case| case.ubn == challenge.ubn && case.received_at == spent_at))
    }

    /// What the act of a spent challenge of this session gave, as it is now; none when there is no such challenge. An Iss Key is
    /// shown for two minutes after the signature.
    ///
    /// # Errors
    /// The store's.
    pub async fn execute(&self, challenge: Uuid, session: [u8; 32]) -> Result<Option<Receipt>, StoreError> {
        let Some((challenge, spent_at)) = self.spent(challenge, session).await? else { return Ok(None) };
        let act = challenge.act;
        let gave = match act {
            ActName::Apply | ActName::ChangeAddress | ActName::Suspend => {
                let cases = self.ports.applications.of_organisation(challenge.ubn).await?.into_iter();
                cases
                    .map(|case| case.value)
                    .find(|case| case.received_at == spent_at)
                    .map_or(Gave::Done, case_of)
            }
            ActName::AnswerClarification | ActName::Withdraw => self.case(&challenge).await?,
            ActName::RegisterKey | ActName::RevokeKey => self.key(&challenge, spent_at).await?,
            ActName::RevealIssKey | ActName::RotateIssKey => {
                let sandbox = challenge.content.text("/environment") == Some(Environment::Sandbox.as_str());
                let environment = if sandbox { Environment::Sandbox } else { Environment::Production };
                self.iss_key(&challenge, environment, spent_at, None).await?
            }
            ActName::SetWebhook => self.webhook(&challenge, spent_at).await?,
            ActName::Progress
            | ActName::RemoveWebhook
            | ActName::ChangeContact
            | ActName::Explain
            | ActName::SubmitImprovementPlan => Gave::Done,
        };
        Ok(Some(Receipt { act, gave }))
    }

    async fn case(&self, challenge: &StoredChallenge) -> Result<Gave, StoreError> {
        let named = challenge.content.text("/applicationId").and_then(|id| Uuid::try_parse(id).ok());
        let Some(id) = named.map(ApplicationId) else { return Ok(Gave::Done) };
        let case = self.ports.applications.find(id).await?.map(|case| case.value);
        Ok(case.filter(|case| case.ubn == challenge.ubn).map_or(Gave::Done, case_of))
    }

    async fn key(&self, challenge: &StoredChallenge, spent_at: DateTime<Utc>) -> Result<Gave, StoreError> {
        let held = self.ports.organisations.find(challenge.ubn).await?;
        let mut keys = held.into_iter().flat_map(|held| held.value.keys);
        let key = match challenge.act {
            ActName::RegisterKey => keys.find(|key| key.registered_at == spent_at),
            _ => keys.find(|key| key.revoked_at == Some(spent_at)),
        };
        let Some(key) = key.map(Box::new) else { return Ok(Gave::Done) };
        if challenge.act == ActName::RegisterKey && key.environment == Environment::Sandbox {
            return self.iss_key(challenge, Environment::Sandbox, spent_at, Some(key)).await;
        }
        Ok(Gave::Key(key))
    }

    async fn webhook(
        &self,
        challenge: &StoredChallenge,
        spent_at: DateTime<Utc>,
    ) -> Result<Gave, StoreError> {
        let set = self.ports.webhooks.webhook(challenge.ubn).await?;
        let fresh = self.ports.clock.now() < spent_at + FRESH;
        let set = set.filter(|set| fresh && set.set_at == spent_at);
        Ok(set.map_or(Gave::Done, |set| Gave::Webhook(Box::new(set))))
    }

    async fn iss_key(
        &self,
        challenge: &StoredChallenge,
        environment: Environment,
        spent_at: DateTime<Utc>,
        key: Option<Box<RegisteredKey>>,
    ) -> Result<Gave, StoreError> {
        let hidden = |key: Option<Box<RegisteredKey>>| key.map_or(Gave::Done, Gave::Key);
        if self.ports.clock.now() >= spent_at + FRESH {
            return Ok(hidden(key));
        }
        let account = match environment {
            Environment::Sandbox => Some(idcheck_domain::sandbox::ACCOUNT.to_owned()),
            Environment::Production => {
                let held = self.ports.organisations.find(challenge.ubn).await?;
                let held = held.map(|held| held.value).filter(|held| held.access.is_active());
                held.and_then(|held| held.account).map(|account| account.to_string())
            }
        };
        let iss_key = self.ports.organisations.iss_key(challenge.ubn, environment).await?;
        Ok(match account.zip(iss_key) {
            Some((account, iss_key)) => Gave::IssKey { environment, account, iss_key, key },
            None => hidden(key),
        })
    }
}

fn case_of(case: Application) -> Gave {
    Gave::Case(Box::new(case))
}
