//! The address of a database, and why nothing answers there.
//!
//! An address holds a password, and libraries quote what they can't read: it is checked here, in our words, before any of
//! them sees it.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{self, ConnectOptions, Connection, postgres::PgConnectOptions, sqlite::SqliteConnectOptions},
};
use tokio::time::timeout;
use url::Url;

use crate::kernel::connection::PATIENCE;

/// Why a database can't be opened. No part of its address that could be a secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The address is none.
    #[error("database_url: {0}")]
    Address(AddressFault),
    /// There is no file; nothing was made.
    #[error("there is no database at {}; see that database_url is right, or make one with `idcheck migrate up`", .0.display())]
    Missing(PathBuf),
    /// What kept the connection from being made.
    #[error("{0}")]
    Unreachable(String),
    /// What is sealed in the database was sealed with another key.
    #[error(
        "the key file is not this database's: restore the key file that was kept with it; \
         with this one nothing in it opens, and nothing was changed"
    )]
    WrongKey,
}

/// What is wrong with a database's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// Neither of the two databases.
    #[error("it must begin with `sqlite:///` or `postgres://`")]
    Scheme,
    /// A file without a name, or a database in memory.
    #[error("after `sqlite://` comes the path of a file, and nothing else")]
    File,
    #[error(
        "it can't be read: `postgres://user:password@host:port/database`; in user and password write `#` as `%23`, \
         `/` as `%2F`, `?` as `%3F`, `@` as `%40`, `:` as `%3A` and `%` as `%25`"
    )]
    Unreadable,
    /// A parameter that is none.
    #[error(
        "a parameter after `?` is none of application_name, dbname, host, options, password, port, sslcert, sslkey, \
         sslmode, sslrootcert, user; a `?` in user or password is written `%3F`"
    )]
    Parameter,
}

const PARAMETERS: [&str; 11] = [
    "application_name",
    "dbname",
    "host",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

/// An address that was read.
pub(crate) enum Address {
    Sqlite(PathBuf),
    Postgres,
}

impl Address {
    pub(crate) fn parse(text: &str) -> Result<Self, AddressFault> {
        if let Some(rest) = text.strip_prefix("sqlite:") {
            let path =
                rest.strip_prefix("//").filter(|path| !path.contains('?')).ok_or(AddressFault::File)?;
            if path.is_empty() || path.contains(":memory:") || path.ends_with('/') {
                return Err(AddressFault::File);
            }
            let options = SqliteConnectOptions::from_str(text).map_err(|_| AddressFault::File)?;
            return Ok(Self::Sqlite(options.get_filename().to_owned()));
        }
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(AddressFault::Scheme);
        }
        let url = Url::parse(text).map_err(|_| AddressFault::Unreadable)?;
        let known = |name: &str| PARAMETERS.contains(&name);
        if url.query_pairs().any(|(name, _)| !known(&name)) {
            return Err(AddressFault::Parameter);
        }
        // More than one `/` or `@`: the one in the password ended the host.
        let database = url.path().strip_prefix('/').unwrap_or_default();
        let named = !database.is_empty() || url.query_pairs().any(|(name, _)| name == "dbname");
        if url.fragment().is_some() || !named || database.contains(['/', '@']) {
            return Err(AddressFault::Unreadable);
        }
        PgConnectOptions::from_str(text).map_err(|_| AddressFault::Unreadable)?;
        Ok(Self::Postgres)
    }
}

/// What a database's address may show: the server and the database, without user, password and parameters; of one that can't
/// be read nothing.
pub fn shown_address(text: &str) -> String {
    match Address::parse(text) {
        Ok(Address::Sqlite(path)) => path.display().to_string(),
        Ok(Address::Postgres) => Url::parse(text).map_or_else(
            |_| "the one named in database_url".to_owned(),
            |mut url| {
                url.set_query(None);
                // They refuse an address without a host only, which has neither.
                let _ = url.set_password(None).and_then(|()| url.set_username(""));
                url.into()
            },
        ),
        Err(_) => "the one named in database_url".to_owned(),
    }
}

/// What is wrong with a database's address.
pub fn address_fault(text: &str) -> Option<AddressFault> {
    Address::parse(text).err()
}

/// The file of a database's address, where it is one in a file.
pub fn database_file(text: &str) -> Option<PathBuf> {
    match Address::parse(text) {
        Ok(Address::Sqlite(path)) => Some(path),
        Ok(Address::Postgres) | Err(_) => None,
    }
}

/// Whether a file is a database's that is there.
pub(crate) fn is_there(file: &Path) -> bool {
    file.metadata().is_ok_and(|found| found.is_file() && found.len() > 0)
}

/// Makes an empty file for a database where there is none, that only its owner can read: what is in a database is in its
/// `-wal` and its backups too, which take the file's mode.
pub(crate) fn make(file: &Path) -> Result<(), OpenError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(drop).map_err(|error| {
        OpenError::Unreachable(format!("{} can't be made: {}", file.display(), error.kind()))
    })
}

/// Why no connection came about, in our words: what a library says may quote the address.
pub(crate) async fn reason(url: &str, error: &DbErr) -> OpenError {
    let DbErr::Conn(RuntimeErr::SqlxError(error)) = error else {
        return OpenError::Unreachable(probe(url).await);
    };
    OpenError::Unreachable(match error.as_ref() {
        // A pool tries again until its time is over, and then tells only that.
        sqlx::Error::PoolTimedOut => probe(url).await,
        error => words(error),
    })
}

/// What one connection without a pool says.
async fn probe(url: &str) -> String {
    let Ok(options) = PgConnectOptions::from_str(url) else { return "it can't be opened".to_owned() };
    match timeout(PATIENCE, options.disable_statement_logging().connect()).await {
        Err(_) => format!("it did not answer within {} s", PATIENCE.as_secs()),
        Ok(Err(error)) => words(&error),
        Ok(Ok(connection)) => {
            drop(timeout(Duration::from_secs(1), connection.close()).await);
            "it answered too late".to_owned()
        }
    }
}

fn words(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Io(error) => match error.kind() {
            std::io::ErrorKind::ConnectionRefused => "nothing listens there (connection refused)".to_owned(),
            kind => kind.to_string(),
        },
        sqlx::Error::Tls(_) => "no TLS connection came about; see sslmode and sslrootcert".to_owned(),
        sqlx::Error::Database(error) => match error.code().as_deref() {
            Some("28P01" | "28000") => "user or password is refused".to_owned(),
            Some("3D000") => "the server has no such database".to_owned(),
            Some("53300") => "the server has no connection left".to_owned(),
            Some("57P03") => "the server is starting or stopping".to_owned(),
            Some("14") => "the file can't be opened; see that its folder is there and writable".to_owned(),
            Some("26") => "the file is not a database".to_owned(),
            Some(code) => format!("the database refused with code {code}"),
            None => "the database refused".to_owned(),
        },
        _ => "it can't be opened".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::kernel::address::{Address, AddressFault, shown_address};

    #[test]
    fn an_address_is_read_or_refused_without_being_quoted() {
        use AddressFault::{File, Parameter, Scheme, Unreadable};
        for (address, expected) in [
            ("sqlite:///var/lib/idcheck/idcheck.db", Ok("/var/lib/idcheck/idcheck.db")),
            ("postgres://idcheck:hunter2@db:5432/idcheck?sslmode=require", Ok("postgres://db:5432/idcheck")),
            ("postgresql://db/idcheck?user=idcheck&password=hunter2", Ok("postgresql://db/idcheck")),
            ("postgres:///idcheck?host=/run/postgresql&password=hunter2", Ok("postgres:///idcheck")),
            ("postgres://idcheck:hun%23ter%2F2%3F@db/idcheck", Ok("postgres://db/idcheck")),
            ("sqlite:///idcheck.db?mode=rwc", Err(File)),
            ("sqlite::memory:", Err(File)),
            ("sqlite://", Err(File)),
            ("sqlite:///var/lib/", Err(File)),
            ("hunter2", Err(Scheme)),
            ("postgre://idcheck:hunter2@db/idcheck", Err(Scheme)),
            ("mysql://idcheck:hunter2@db/idcheck", Err(Scheme)),
            ("postgres:idcheck:hunter2@db/idcheck", Err(Scheme)),
            ("postgres://idcheck:hun#ter2@db/idcheck", Err(Unreadable)),
            ("postgres://idcheck:hun/ter2@db/idcheck", Err(Unreadable)),
            ("postgres://idcheck:1/hunter2@db/idcheck", Err(Unreadable)),
            ("postgres://idcheck:hun?ter2@db/idcheck", Err(Unreadable)),
            ("postgres://idcheck:1?hunter2@db/idcheck", Err(Parameter)),
            ("postgres://idcheck:hunter2@db:port/idcheck", Err(Unreadable)),
            ("postgres://idcheck:hunter2@db", Err(Unreadable)),
            ("postgres://db/idcheck?passwort=hunter2", Err(Parameter)),
            ("postgres://db/idcheck?sslmode=hunter2", Err(Unreadable)),
        ] {
            let read = Address::parse(address).map(|_| shown_address(address));
            assert_eq!(read, expected.map(str::to_owned), "{address}");
            let told = read.unwrap_or_else(|fault| fault.to_string());
            assert!(!told.contains("hun") && !shown_address(address).contains("hun"), "{address}");
        }
    }
}
