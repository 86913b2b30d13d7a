//! Tests that run on both databases.

/// A test on each database; on PostgreSQL it is skipped, with a printed line, where none is named.
macro_rules! on_both {
    ($name:ident, |$database:ident| $body:expr) => {
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let $database = TempDatabase::sqlite().await;
                $body;
                $database.close().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let Some($database) = TempDatabase::postgres().await else { return };
                $body;
                $database.close().await;
            }
        }
    };
}
