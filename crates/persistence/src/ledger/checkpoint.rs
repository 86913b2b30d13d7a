//! Checkpoints of an SQLite database while the ledger writes it: what its log holds is put into the file by a thread of its
//! own, so that no commit waits for that. Only the rest, which others wrote meanwhile, is put there between two batches,
//! because the log begins again only where nothing is left in it.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rusqlite::Connection;

const PAUSE: Duration = Duration::from_secs(1);
/// Pages in the log from which on it is to begin again: some 32 MB.
const PAGES: i64 = 32_000;
/// Moves what can be moved without anybody waiting.
const MOVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// Whether the log is to begin again. Dropped, the thread ends.
pub(crate) struct Checkpoints(Arc<AtomicBool>);

impl Checkpoints {
    /// Starts the thread; without it the database does all this in a commit, at a greater log.
    pub(crate) fn start(file: PathBuf) -> Self {
        Self::start_with(file, PAUSE, PAGES)
    }

    fn start_with(file: PathBuf, pause: Duration, pages: i64) -> Self {
        let due = Arc::new(AtomicBool::new(false));
        let weak = Arc::downgrade(&due);
        let thread = std::thread::Builder::new().name("checkpoint".to_owned());
        if let Err(error) = thread.spawn(move || run(&file, &weak, pause, pages)) {
            tracing::error!(%error, "the thread for checkpoints can't be made");
        }
        Self(due)
    }

    /// Between two batches: moves the rest, where it is time for that.
    pub(crate) fn finish(&self, connection: &Connection) {
        if self.0.swap(false, Ordering::Relaxed) {
            moved(connection);
        }
    }
}

/// Pages in the log; nothing where the database can't be asked.
fn moved(connection: &Connection) -> Option<i64> {
    let pages = connection.query_row(MOVE, [], |row| row.get(1));
    pages.inspect_err(|error| tracing::warn!(code = ?error.sqlite_error_code(), "a checkpoint failed")).ok()
}

fn run(file: &Path, due: &Weak<AtomicBool>, pause: Duration, pages: i64) {
    let mut connection = None;
    loop {
        std::thread::sleep(pause);
        let Some(due) = due.upgrade() else { return };
        if connection.is_none() {
            connection = crate::ledger::file::open(file).ok();
        }
        match connection.as_ref().map(moved) {
            Some(Some(held)) if held >= pages => due.store(true, Ordering::Relaxed),
            Some(None) => connection = None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use idcheck_testing::database::TempDatabase;

    use super::*;

    /// However much is written, the log stays small.
    #[tokio::test]
    async fn the_log_begins_anew_while_it_is_written() {
        let database = TempDatabase::sqlite().await;
        let file = database.folder().unwrap().join("test.db");
        let connection = crate::ledger::file::open(&file).unwrap();
        connection.execute_batch("CREATE TABLE filled (number INTEGER, bytes BLOB)").unwrap();
        let write = || connection.execute("INSERT INTO filled VALUES (1, randomblob(20000))", []).unwrap();
        let log = || std::fs::metadata(database.folder().unwrap().join("test.db-wal")).unwrap().len();
        let rows = 200;
        for _ in 0..rows {
            write();
        }
        let without = log();
        assert!(without > 20_000 * rows, "{without}");
        let checkpoints = Checkpoints::start_with(file, Duration::from_millis(5), 100);
        for _ in 0..10 * rows {
            checkpoints.finish(&connection);
            write();
        }
        assert!(log() < 3 * without, "{} after {without}", log());
    }
}
