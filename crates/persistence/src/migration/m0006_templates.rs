//! Texts that officers begin with, and some to begin with themselves. They belong to the admins from here on: no later step
//! changes them.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// As in the steps before: SQL that both databases read.
const TABLE: &str = "
CREATE TABLE reason_templates (
    id UUID PRIMARY KEY, version BIGINT NOT NULL, used_for VARCHAR(16) NOT NULL, title TEXT NOT NULL,
    text TEXT NOT NULL, in_use BOOLEAN NOT NULL);
";

/// Step, title, text.
const FIRST: [(&str, &str, &str); 7] = [
    (
        "clarification",
        "目的或規定不明",
        "請敘明目的事業主管機關及其要求查驗之規定名稱與條次，並說明於何種業務使用查驗結果。",
    ),
    (
        "clarification",
        "公司名稱與登記不同",
        "申請表所載公司名稱與商工登記不同，請說明原因；已變更登記者，請檢附變更登記資料。",
    ),
    ("clarification", "連線主機位址", "請確認連線主機網路位址為貴公司所有或專用，並說明其管理方式。"),
    ("approve", "同意", "經審核符合規定，同意辦理。"),
    ("reject", "補件逾期", "本案 {caseNumber} 通知補件，至 {due} 止未獲答覆，爰予駁回；得備妥資料重新申請。"),
    ("reject", "目的不符規定", "申請目的未能說明主管機關要求查驗之規定（注意事項四），爰予駁回。"),
    ("reject", "公司登記", "商工登記查無 {company} 或已非現行登記之公司，爰予駁回；恢復登記後得重新申請。"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "as the trait has it")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        let table = if postgres { TABLE.to_owned() } else { TABLE.replace(" UUID", " BLOB") };
        db.execute_unprepared(&table).await?;
        for (number, (used_for, title, text)) in (1..).zip(FIRST) {
            let id = format!("01900000000070008000{number:012x}");
            let id = if postgres { format!("'{id}'") } else { format!("X'{id}'") };
            db.execute_unprepared(&format!(
                "INSERT INTO reason_templates VALUES ({id}, 1, '{used_for}', '{title}', '{text}', TRUE)"
            ))
            .await?;
        }
        Ok(())
    }
}
