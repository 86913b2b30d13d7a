//! Putting a copy of an SQLite database in the place of the one that was lost.
//!
//! A copy beside an old `-wal` is read as damaged: the files of the old database go aside together, the database first, so
//! that a crash between two steps leaves no database that lacks its newest commits. Whatever interrupts it, doing it again
//! goes on.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use idcheck_usecases::ports::Clock;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use crate::kernel::{
    address::{Address, OpenError},
    store::{Store, unavailable},
    vault::Vault,
};

/// What belongs to a database in a file, in the order in which it goes aside.
const PARTS: [&str; 3] = ["", "-wal", "-shm"];

/// Why a copy was not put in place.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Its address, its absence, its key.
    #[error("the copy: {0}")]
    Copy(OpenError),
    /// SQLite's own check found something.
    #[error("the copy {} is damaged; nothing was changed", .0.display())]
    Damaged(PathBuf),
    #[error("PostgreSQL has tools of its own: `pg_restore`, then `idcheck backup restored`")]
    Postgres,
    /// What the database's own address has wrong.
    #[error(transparent)]
    Address(OpenError),
    /// Somebody has the database open.
    #[error("{} is in use; stop every idcheck that works with it first, nothing was changed", .0.display())]
    InUse(PathBuf),
    /// A file could not be written or moved.
    #[error("{0}: {1}")]
    File(String, io::Error),
}

impl Store {
    /// Puts a copy in the place of the database at `url`. What stood there is kept beside it, under the names that are
    /// returned. [`Store::restored`] must follow.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub async fn put_back(
        url: &str,
        copy: &Path,
        vault: Vault,
        clock: Arc<dyn Clock>,
    ) -> Result<Vec<PathBuf>, RestoreError> {
        let Address::Sqlite(file) =
            Address::parse(url).map_err(|fault| RestoreError::Address(OpenError::Address(fault)))?
        else {
            return Err(RestoreError::Postgres);
        };
        if is_open(&file).map_err(|error| at(&file, error))? {
            return Err(RestoreError::InUse(file));
        }
        let fresh = beside(&file, ".restoring");
        remove(&fresh)?;
        fs::copy(copy, &fresh).map_err(|error| at(copy, error))?;
        private(&fresh)?;
        // The copy of the copy is looked at: looking writes a `-wal` beside it.
        sound(&fresh, copy, vault, clock).await?;
        File::open(&fresh).and_then(|file| file.sync_all()).map_err(|error| at(&fresh, error))?;
        let mut aside = Vec::new();
        let number =
            (1..10_000).find(|number| !beside(&file, &format!(".replaced-{number}")).exists()).unwrap_or(1);
        for part in PARTS {
            let (old, kept) = (beside(&file, part), beside(&file, &format!(".replaced-{number}{part}")));
            match fs::rename(&old, &kept) {
                Ok(()) => aside.push(kept),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(at(&old, error)),
            }
        }
        fs::rename(&fresh, &file).map_err(|error| at(&file, error))?;
        if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| at(folder, error))?;
        }
        Ok(aside)
    }
}

fn at(path: &Path, error: io::Error) -> RestoreError {
    RestoreError::File(path.display().to_string(), error)
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn remove(file: &Path) -> Result<(), RestoreError> {
    for part in PARTS {
        let file = beside(file, part);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&file, error)),
            _ => {}
        }
    }
    Ok(())
}

fn private(file: &Path) -> Result<(), RestoreError> {
    #[cfg(unix)]
    fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .map_err(|error| at(file, error))?;
    Ok(())
}

/// Whether the copy is whole and of this key. Leaves nothing beside it.
async fn sound(file: &Path, named: &Path, vault: Vault, clock: Arc<dyn Clock>) -> Result<(), RestoreError> {
    let store = Store::connect(&format!("sqlite://{}", file.display()), vault, clock).await;
    let store = store.map_err(|error| match error {
        OpenError::Missing(_) | OpenError::Unreachable(_) => RestoreError::Damaged(named.to_owned()),
        error => RestoreError::Copy(error),
    })?;
    let whole = store.is_whole().await.map_err(unavailable);
    store.close().await;
    for part in ["-wal", "-shm"] {
        remove(&beside(file, part))?;
    }
    if whole.unwrap_or(false) { Ok(()) } else { Err(RestoreError::Damaged(named.to_owned())) }
}

impl Store {
    /// Whether the file is an idcheck database without damage.
    async fn is_whole(&self) -> Result<bool, DbErr> {
        let ask = |sql: &str| self.reader.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql));
        let Some(row) = ask("PRAGMA quick_check(1)").await? else { return Ok(false) };
        let told: String = row.try_get_by_index(0)?;
        Ok(told == "ok" && ask("SELECT 1 FROM chain_head").await?.is_some())
    }

    async fn close(self) {
        // One that is closed twice is closed.
        let _ = self.reader.close().await;
        let _ = self.writer.close().await;
    }
}

/// Whether a process has the database open: in WAL mode each holds a shared lock on the file (`SHARED_FIRST`, SQLite's
/// `os.h`) for as long as it is connected.
fn is_open(file: &Path) -> io::Result<bool> {
    use rustix::process::{Flock, FlockType, fcntl_getlk};
    let opened = match fs::OpenOptions::new().read(true).write(true).open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let mut wanted = Flock::from(FlockType::WriteLock);
    (wanted.start, wanted.length) = (0x4000_0000, 512);
    Ok(fcntl_getlk(&opened, &wanted)?.is_some())
}
