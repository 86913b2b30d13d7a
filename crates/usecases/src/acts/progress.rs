//! Reading one's cases (圖7).

use crate::acts::{
    own,
    prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
    schema::content,
};

content! {
    /// Nothing.
    pub(crate) struct ReadProgress as "EmptyContent" {}
}

impl ReadProgress {
    pub(crate) async fn perform(
        &self,
        by: &ProveChallenge,
        signed: &Signed,
    ) -> Result<ActResult, ProofRefusal> {
        by.ports.changes.commit(signed.change(signed.ubn)).await?;
        let session = own::session(&by.ports, signed.ubn, signed.now);
        let progress = own::stands(&by.ports, session, signed.now).await?;
        Ok(ActResult::Progress(Box::new(progress)))
    }
}
