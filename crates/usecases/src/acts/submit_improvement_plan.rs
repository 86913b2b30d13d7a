//! Filing an improvement plan with the card (注意事項 十).

use idcheck_domain::{
    plan::{ImprovementPlan, PlanId},
    value::Narrative,
};

use crate::{
    acts::{
        prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
        schema::content,
    },
    kernel::retry,
    ports::{MailMessage, Write},
};

content! {
    /// What is done so that it does not happen again (注意事項 十).
    pub(crate) struct SubmitImprovementPlan as "SubmitImprovementPlanContent" {
        plan as "plan": Narrative,
    }
}

impl SubmitImprovementPlan {
    /// One plan at a time: while one waits for an officer, another is refused.
    pub(crate) async fn perform(
        &self,
        by: &ProveChallenge,
        signed: &Signed,
    ) -> Result<ActResult, ProofRefusal> {
        retry(|| async {
            let held = by.held(signed).await?;
            held.value.access.may_file_plan()?;
            let id = PlanId(by.ports.entropy.uuid(signed.now));
            let filed = ImprovementPlan::file(id, signed.ubn, self.plan.clone(), signed.now);
            let mut change = signed.change(id);
            let company = held.value.name.as_str().to_owned();
            change.mail.push(by.mail(
                signed,
                held.value.contact.email(),
                MailMessage::PlanReceived { company },
            ));
            // The version ties the plan to the revocation that it answers.
            change.organisation = Some(Write::Update { value: held.value, expected: held.version });
            change.plan = Some(Write::Insert(filed.clone()));
            by.ports.changes.commit(change).await?;
            Ok(ActResult::ImprovementPlan(Box::new(filed)))
        })
        .await
    }
}
