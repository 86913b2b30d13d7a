//! Explaining a notice with the card (注意事項 九).

use idcheck_domain::{attachment::Owner, notice::NoticeId, precondition::Precondition, value::Narrative};

use crate::{
    acts::{
        prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
        schema::{Files, content},
    },
    kernel::retry,
    ports::Write,
};

content! {
    /// The explanation of a notice (注意事項 九).
    pub(crate) struct Explain as "ExplainContent" {
        notice as "noticeId": NoticeId,
        explanation as "explanation": Narrative,
        /// What `POST /attachments` gave for each file.
        pub(super) files as "attachments": Files,
    }
}

impl Explain {
    /// Late explanations are taken too. Anyone else's notice, and one that waits for nothing, does not exist here.
    pub(crate) async fn perform(
        &self,
        by: &ProveChallenge,
        signed: &Signed,
    ) -> Result<ActResult, ProofRefusal> {
        retry(|| async {
            let read = by.ports.notices.find(self.notice).await?.filter(|read| read.value.ubn == signed.ubn);
            let read = read.ok_or(Precondition::NoticeUnknown)?;
            let explained = read.value.explain(self.explanation.clone(), signed.now);
            let explained = explained.map_err(|_| Precondition::NoticeUnknown)?;
            let mut change = signed.change(self.notice);
            let owner = Owner::Explanation { notice: self.notice, sending: explained.sendings.len() };
            change.files = signed.attached(&self.files.0, owner);
            change.notices.push(Write::Update { value: explained.clone(), expected: read.version });
            by.ports.changes.commit(change).await?;
            Ok(ActResult::Notice(Box::new(explained)))
        })
        .await
    }
}
