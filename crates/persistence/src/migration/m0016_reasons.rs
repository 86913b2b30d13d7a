//! Reasons that follow from a rule are kept as codes; their words are a matter of whoever shows them. What was written as a
//! sentence by the versions before becomes its code. The column of the text is never empty where there is a reason: a program
//! of the version before reads it.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const STEPS: [&str; 6] = [
    "ALTER TABLE applications ADD COLUMN closed_reason_code VARCHAR(16)",
    "ALTER TABLE organisations ADD COLUMN access_reason_code VARCHAR(16)",
    "UPDATE applications SET closed_reason_code = 'accessEnded', closed_reason = 'accessEnded' WHERE state = 'rejected' \
     AND closed_by = 'system'",
    "UPDATE application_history SET text = NULL WHERE action = 'close'",
    "UPDATE organisations SET access_reason_code = 'notRegistered', access_reason = 'notRegistered' WHERE access = 'revoked' \
     AND access_reason = '清查結果：商工登記查無此統一編號。'",
    "UPDATE organisations SET access_reason_code = 'companyStatus', access_reason = \
     substr(access_reason, 14, length(access_reason) - 15) WHERE access = 'revoked' \
     AND access_reason LIKE '清查結果：商工登記現況為「%」。'",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for step in STEPS {
            manager.get_connection().execute_unprepared(step).await?;
        }
        Ok(())
    }
}
