//! The receipt of a case that was just filed (圖4–6), for the browser that filed it.

use idcheck_domain::{application::Application, value::CaseNumber};
use uuid::Uuid;

use crate::{acts::ActPorts, ports::StoreError};

/// Shows a case to the browser session whose challenge filed it.
#[derive(Clone)]
pub struct ReadReceipt {
    ports: ActPorts,
}

impl ReadReceipt {
    /// Creates it with these ports.
    pub fn new(ports: ActPorts) -> Self {
        Self { ports }
    }

    /// The case, if `challenge` was issued to this session and filed it. No other session learns that it exists.
    ///
    /// # Errors
    /// The store's.
    pub async fn execute(
        &self,
        number: &CaseNumber,
        challenge: Uuid,
        session: [u8; 32],
    ) -> Result<Option<Application>, StoreError> {
        let Some(challenge) = self.ports.challenges.find(challenge).await? else { return Ok(None) };
        if challenge.session != Some(session) {
            return Ok(None);
        }
        let case = self.ports.applications.find_by_case_number(number).await?.map(|case| case.value);
        Ok(case.filter(|case| case.ubn == challenge.ubn && Some(case.received_at) == challenge.spent_at))
    }
}
