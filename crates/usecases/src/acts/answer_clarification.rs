//! Answering an officer's question (注意事項 五).

use idcheck_domain::{
    application::{ApplicationId, ClarificationId},
    attachment::Owner,
    value::Narrative,
};

use crate::{
    acts::{
        prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
        schema::{Files, content},
    },
    kernel::retry,
    ports::{Requirement, Write},
};

content! {
    /// An answer to the officer's question.
    pub(crate) struct AnswerClarification as "AnswerClarificationContent" {
        application as "applicationId": ApplicationId,
        clarification as "clarificationId": ClarificationId,
        answer as "answer": Narrative,
        /// What `POST /attachments` gave for each file.
        pub(super) files as "attachments": Files,
    }
}

impl AnswerClarification {
    pub(crate) async fn perform(
        &self,
        by: &ProveChallenge,
        signed: &Signed,
    ) -> Result<ActResult, ProofRefusal> {
        retry(|| async {
            let case = by.own_case(signed, self.application).await?;
            let calendar = by.ports.calendar.load().await?;
            let answer = self.answer.clone();
            let (application, step) =
                case.value.answer_clarification(self.clarification, answer, signed.now, &calendar)?;
            let mut change = signed.change(application.id);
            change.requires.push(Requirement::CalendarEdition(calendar.edition()));
            change.files = signed.attached(&self.files.0, Owner::Clarification(self.clarification));
            change.history.push((application.id, step));
            change.applications.push(Write::Update { value: application.clone(), expected: case.version });
            by.ports.changes.commit(change).await?;
            Ok(ActResult::Application(Box::new(application)))
        })
        .await
    }
}
