//! Opening a database: whether it is there, and whether the key file is its own.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use idcheck_usecases::ports::Clock;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, Statement};
use sea_orm_migration::SchemaManager;

use crate::{
    kernel::{
        address::{self, Address, OpenError},
        connection::{LedgerPlace, SETTINGS, ledger_pool, postgres, sqlite},
        store::{Store, unavailable},
        vault::Vault,
        writer::Writer,
    },
    ledger::Recent,
    organisation::entity::iss_key,
};

impl Store {
    /// Connects to the database at `sqlite://…` or `postgres://…`, which is there and whose key the vault's is.
    ///
    /// # Errors
    /// [`OpenError`]; nothing is made and nothing changed.
    pub async fn connect(url: &str, vault: Vault, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        if let Address::Sqlite(file) = Address::parse(url).map_err(OpenError::Address)?
            && !address::is_there(&file)
        {
            return Err(OpenError::Missing(file));
        }
        Self::open(url, vault, clock).await
    }

    /// The same where there may be no database yet: an SQLite file is made when it is not there, for its owner only.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn create(url: &str, vault: Vault, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        if let Address::Sqlite(file) = Address::parse(url).map_err(OpenError::Address)? {
            address::make(&file)?;
        }
        Self::open(url, vault, clock).await
    }

    async fn open(url: &str, vault: Vault, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let address = Address::parse(url).map_err(OpenError::Address)?;
        let pools = async {
            Ok::<_, DbErr>(if let Address::Sqlite(file) = address {
                let writer = Writer::in_turns(sqlite(url, 1).await?);
                (sqlite(url, 4).await?, writer, LedgerPlace::Sqlite(file))
            } else {
                // The ping before each use finds connections that a restart of the server left behind. The ledger does
                // without, because it costs a fifth of its speed, and tries a batch again instead.
                let pool = postgres(url, 12, true, &SETTINGS).await?;
                (pool.clone(), Writer::of(pool), LedgerPlace::Postgres(ledger_pool(url, 3).await?))
            })
        };
        let (reader, writer, ledger) = match pools.await {
            Ok(pools) => pools,
            Err(error) => return Err(address::reason(url, &error).await),
        };
        Box::pin(Self { reader, writer, ledger, recent: Recent::default(), vault, clock }.with_its_key())
            .await
    }

    /// Writes the key's check value into a database that has none.
    pub(crate) async fn keep_key_check(&self) -> Result<(), DbErr> {
        let sql = "INSERT INTO key_check (id, value) VALUES (1, $1) ON CONFLICT (id) DO NOTHING";
        let values = [self.vault.check_value().to_vec().into()];
        let backend = self.writer.get_database_backend();
        self.writer.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await.map(drop)
    }

    /// Whether what is sealed in the database opens with this key; true of an empty one.
    pub(crate) async fn key_fits(&self) -> Result<bool, DbErr> {
        let tables = SchemaManager::new(&self.reader);
        if tables.has_table("key_check").await? {
            let sql = "SELECT value FROM key_check WHERE id = 1";
            let statement = Statement::from_string(self.reader.get_database_backend(), sql);
            if let Some(row) = self.reader.query_one_raw(statement).await? {
                let kept: Vec<u8> = row.try_get("", "value")?;
                return Ok(verify_slices_are_equal(&kept, &self.vault.check_value()).is_ok());
            }
        }
        // A database from before the check value was kept.
        if tables.has_table("iss_keys").await?
            && let Some(sealed) = iss_key::Entity::find().one(&self.reader).await?
        {
            return Ok(self.open_iss_key(&sealed).is_ok());
        }
        Ok(true)
    }

    /// Refuses a key that is not the database's.
    pub(crate) async fn with_its_key(self) -> Result<Self, OpenError> {
        match self.key_fits().await {
            Ok(true) => Ok(self),
            Ok(false) => Err(OpenError::WrongKey),
            Err(error) => Err(OpenError::Unreachable(unavailable(error).to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use idcheck_testing::{FixedClock, database::TempDatabase};

    use super::*;

    /// What every connection that writes says of its durability.
    async fn told(database: &TempDatabase, sql: &str) -> Vec<String> {
        async fn ask(pool: &impl ConnectionTrait, sql: &str) -> String {
            let statement = Statement::from_string(pool.get_database_backend(), sql);
            let row = pool.query_one_raw(statement).await.unwrap().unwrap();
            row.try_get_by_index(0).or_else(|_| row.try_get_by_index(0).map(|n: i64| n.to_string())).unwrap()
        }
        let vault = Vault::new(&[7; 32]).unwrap();
        let store = Store::create(&database.url, vault, Arc::new(FixedClock::default())).await.unwrap();
        let mut told = vec![ask(&store.writer, sql).await];
        if let LedgerPlace::Postgres(connections) = &store.ledger {
            told.push(ask(connections, sql).await);
        }
        told
    }

    /// An answer leaves after its commit: a commit that is not durable would make that worthless.
    #[tokio::test]
    async fn what_is_committed_is_durable() {
        let database = TempDatabase::empty_sqlite();
        assert_eq!(told(&database, "PRAGMA synchronous").await, ["2"], "FULL");
        assert_eq!(told(&database, "PRAGMA journal_mode").await, ["wal"]);
        let database = TempDatabase::empty_postgres().await;
        database.tamper("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$").await;
        assert_eq!(
            told(&database, "SHOW synchronous_commit").await,
            ["on", "on"],
            "whatever the server's default is"
        );
        database.close().await;
    }
}
