//! Taking a case back.

use idcheck_domain::{application::ApplicationId, value::Reason};

use crate::{
    acts::{
        prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
        schema::content,
    },
    kernel::retry,
    ports::{MailMessage, Write},
};

content! {
    /// The case to take back.
    pub(crate) struct Withdraw as "WithdrawContent" {
        application as "applicationId": ApplicationId,
        reason as "reason": Option<Reason>,
    }
}

impl Withdraw {
    pub(crate) async fn perform(
        &self,
        by: &ProveChallenge,
        signed: &Signed,
    ) -> Result<ActResult, ProofRefusal> {
        retry(|| async {
            let case = by.own_case(signed, self.application).await?;
            let (application, step) = case.value.withdraw(self.reason.clone(), signed.now)?;
            let held = by.held(signed).await?.value;
            let mut change = signed.change(application.id);
            change.mail.push(by.mail(
                signed,
                held.contact.email(),
                MailMessage::Withdrawn {
                    case_number: application.case_number.to_string(),
                    kind: application.kind(),
                    company: application.company_name.as_str().to_owned(),
                },
            ));
            change.history.push((application.id, step));
            change.applications.push(Write::Update { value: application.clone(), expected: case.version });
            by.ports.changes.commit(change).await?;
            Ok(ActResult::Application(Box::new(application)))
        })
        .await
    }
}
