//! The state of an organisation (圖8): shown after the card's signature, and again during the session that it opened.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    acts::{
        ActPorts,
        prove::{Progress, ProgressCase},
    },
    ports::{OwnSession, StoreError},
};

/// How long a session lasts: long enough to read and to fetch the operations document.
const SESSION: TimeDelta = TimeDelta::minutes(15);

/// Reads the state of an organisation.
#[derive(Clone)]
pub struct ReadOwn {
    ports: ActPorts,
}

impl ReadOwn {
    /// Creates it with these ports.
    pub fn new(ports: ActPorts) -> Self {
        Self { ports }
    }

    /// The state of a session's organisation; none when the token is not one or is over.
    ///
    /// # Errors
    /// The store's.
    pub async fn execute(&self, token: &str) -> Result<Option<Progress>, StoreError> {
        let now = self.ports.clock.now();
        match self.ports.sessions.read(token, now) {
            Some(session) => stands(&self.ports, session, now).await.map(Some),
            None => Ok(None),
        }
    }
}

/// A session for whoever just showed the card.
pub(crate) fn session(
    ports: &ActPorts,
    ubn: idcheck_domain::value::UnifiedBusinessNumber,
    now: DateTime<Utc>,
) -> OwnSession {
    ports.sessions.issue(ubn, now + SESSION)
}

/// The current state of the session's organisation.
pub(crate) async fn stands(
    ports: &ActPorts,
    session: OwnSession,
    now: DateTime<Utc>,
) -> Result<Progress, StoreError> {
    let ubn = session.ubn;
    let organisation = ports.organisations.find(ubn).await?.map(|found| found.value);
    let mut cases = Vec::new();
    for case in ports.applications.of_organisation(ubn).await? {
        let history = ports.applications.history(case.value.id).await?;
        cases.push(ProgressCase { application: case.value, history });
    }
    let plans = ports.plans.of_organisation(ubn).await?;
    let notices = ports.notices.of_organisation(ubn).await?.into_iter();
    let counted = organisation.as_ref().is_some_and(|held| held.account.is_some());
    let usage = if counted { ports.usage.own(ubn, ports.usage.latest()).await.ok() } else { None };
    Ok(Progress {
        ubn,
        organisation,
        cases,
        notices: notices.map(|read| read.value).filter(idcheck_domain::notice::Notice::is_told).collect(),
        plans: plans.into_iter().map(|plan| plan.value).collect(),
        usage,
        uses: ports.uses.uses_of(ubn).await.unwrap_or_default(),
        queried_at: now,
        session,
    })
}
