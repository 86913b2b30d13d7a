//! What deadlines are counted by, so that a change of the calendar moves them; a case's contact and former number as its approval
//! needs them; why a mail failed; where a challenge came from; what users are suspended by.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// As in the steps before: SQL that both databases read.
const STEPS: [&str; 20] = [
    "CREATE TABLE calendar_head (id INTEGER PRIMARY KEY, edition BIGINT NOT NULL)",
    "INSERT INTO calendar_head (id, edition) VALUES (1, 1)",
    "ALTER TABLE applications ADD COLUMN replaces TEXT",
    "ALTER TABLE applications ADD COLUMN count_from VARCHAR(10)",
    "ALTER TABLE applications ADD COLUMN count_days INTEGER",
    "ALTER TABLE notice_sendings ADD COLUMN days INTEGER",
    "ALTER TABLE notices ADD COLUMN later TEXT",
    "ALTER TABLE organisations ADD COLUMN former_ubn VARCHAR(8)",
    "CREATE INDEX organisations_former ON organisations (former_ubn) WHERE former_ubn IS NOT NULL",
    "ALTER TABLE outbox ADD COLUMN failure VARCHAR(16)",
    "ALTER TABLE challenges ADD COLUMN origin VARCHAR(45)",
    "CREATE INDEX challenges_open ON challenges (origin, ubn) WHERE spent_at IS NULL",
    "ALTER TABLE usage_users ADD COLUMN wrong BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE usage_users ADD COLUMN forgiven BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE usage_users ADD COLUMN gaps BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE usage_users ADD COLUMN even BIGINT NOT NULL DEFAULT 0",
    "ALTER TABLE suspended_users ADD COLUMN rule VARCHAR(32)",
    // A case that was never asked about is counted from its receipt; what an earlier answer restored is not known, and stays.
    "UPDATE applications SET count_days = 5 WHERE state IN ('received', 'underReview', 'clarificationRequested') \
     AND NOT EXISTS (SELECT 1 FROM clarifications c WHERE c.application_id = applications.id AND c.answered_at IS NOT NULL)",
    "UPDATE applications SET count_from = DAY_OF_RECEIPT WHERE count_days IS NOT NULL",
    "UPDATE outbox SET failure = 'temporary' WHERE attempts > 0",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The day in Taipei, which is eight hours before the day of UTC.
        let day = if manager.get_database_backend() == DbBackend::Postgres {
            "to_char(to_timestamp(received_at / 1000000) AT TIME ZONE 'UTC' + interval '8 hours', 'YYYY-MM-DD')"
        } else {
            "strftime('%Y-%m-%d', received_at / 1000000 + 28800, 'unixepoch')"
        };
        for step in STEPS {
            manager.get_connection().execute_unprepared(&step.replace("DAY_OF_RECEIPT", day)).await?;
        }
        Ok(())
    }
}
