//! Tests that run on both databases.

/// A test on each database.
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
                let $database = TempDatabase::postgres().await;
                $body;
                $database.close().await;
            }
        }
    };
}
