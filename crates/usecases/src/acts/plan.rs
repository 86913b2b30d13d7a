//! Filing an improvement plan with the card (注意事項 十).

use idcheck_domain::{
    plan::{ImprovementPlan, PlanId},
    value::Narrative,
};

use crate::{
    acts::prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
    kernel::retry,
    ports::{MailMessage, OutgoingMail, Write},
};

impl ProveChallenge {
    /// One plan at a time: while one waits for an officer, another is refused.
    pub(crate) async fn submit_improvement_plan(
        &self,
        signed: &Signed,
        plan: &Narrative,
    ) -> Result<ActResult, ProofRefusal> {
        retry(|| async {
            let held = self.held(signed).await?;
            held.value.access.may_file_plan()?;
            let id = PlanId(self.ports.entropy.uuid(signed.now));
            let filed = ImprovementPlan::file(id, signed.ubn, plan.clone(), signed.now);
            let mut change = signed.change(id);
            change.mail.push(OutgoingMail {
                id: self.ports.entropy.uuid(signed.now),
                to: held.value.contact.email().clone(),
                message: MailMessage::PlanReceived { company: held.value.name.as_str().to_owned() },
            });
            // The version ties the plan to the revocation that it answers.
            change.organisation = Some(Write::Update { value: held.value, expected: held.version });
            change.plan = Some(Write::Insert(filed.clone()));
            self.ports.changes.commit(change).await?;
            Ok(ActResult::ImprovementPlan(Box::new(filed)))
        })
        .await
    }
}
