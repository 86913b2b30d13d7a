//! Giving access up (API停用, 注意事項 八).

use idcheck_domain::{application::Request, consent::Consent, contact::Contact, value::Reason};

use crate::acts::{
    filing::CaseContent,
    prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
    schema::content,
};

content! {
    /// Giving access up (注意事項 八).
    pub(crate) struct Suspend as "SuspendContent" {
        reason as "reason": Reason,
        contact as "contact": Option<Contact>,
        consent as "consent": Consent,
    }
}

impl Suspend {
    pub(crate) async fn perform(
        &self,
        by: &ProveChallenge,
        signed: &Signed,
    ) -> Result<ActResult, ProofRefusal> {
        let content = CaseContent {
            request: Request::Suspend { reason: self.reason.clone() },
            company_name: None,
            host_addresses: None,
            contact: self.contact.clone(),
            consent: self.consent.clone(),
        };
        by.file(signed, &content).await
    }
}
