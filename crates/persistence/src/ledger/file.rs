//! A connection of the ledger's own to a database in a file.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::kernel::connection::{CHECKPOINT, PATIENCE};

/// A connection to a database that is there.
pub(crate) fn open(file: &Path) -> rusqlite::Result<Connection> {
    // A file that is not there is not made: what it held would be forgotten in silence.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(32);
    // Where a statement keeps what it may have to undo: not in a file of its own.
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
         PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = {CHECKPOINT}"
    ))?;
    Ok(connection)
}
