//! Explaining a notice with the card (注意事項 九).

use idcheck_domain::{access::Precondition, notice::NoticeId, value::Narrative};

use crate::{
    acts::prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
    kernel::retry,
    ports::Write,
};

impl ProveChallenge {
    /// Late explanations are taken too. Anyone else's notice, and one that waits for nothing, does not exist here.
    pub(crate) async fn explain(
        &self,
        signed: &Signed,
        id: NoticeId,
        explanation: &Narrative,
    ) -> Result<ActResult, ProofRefusal> {
        retry(|| async {
            let read = self.ports.notices.find(id).await?.filter(|read| read.value.ubn == signed.ubn);
            let read = read.ok_or(Precondition::NoticeUnknown)?;
            let explained = read.value.explain(explanation.clone(), signed.now);
            let explained = explained.map_err(|_| Precondition::NoticeUnknown)?;
            let mut change = signed.change(id);
            change.notices.push(Write::Update { value: explained.clone(), expected: read.version });
            self.ports.changes.commit(change).await?;
            Ok(ActResult::Notice(Box::new(explained)))
        })
        .await
    }
}
