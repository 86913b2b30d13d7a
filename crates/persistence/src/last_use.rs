//! When keys and host addresses were used last.

use async_trait::async_trait;
use idcheck_domain::{key::KeyId, value::UnifiedBusinessNumber};
use idcheck_usecases::ports::{KeptUse, LastUses, StoreError, Used};
use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

use crate::kernel::{
    cell::{corrupt, instant, micros},
    store::{Store, unavailable},
};

const TABLE: &str = "last_uses";

/// What came later stays, whoever is first.
const KEEP: &str = "INSERT INTO last_uses (ubn, used, at) VALUES ($1, $2, $3) \
    ON CONFLICT (ubn, used) DO UPDATE SET at = excluded.at WHERE last_uses.at < excluded.at";

/// Rows that are written in one transaction: on SQLite nobody else writes meanwhile.
const STRIDE: usize = 100;

fn word(used: Used) -> String {
    match used {
        Used::Key(id) => format!("key:{}", id.0),
        Used::Address(address) => format!("address:{address}"),
    }
}

fn used(word: &str) -> Option<Used> {
    match word.split_once(':')? {
        ("key", id) => Uuid::try_parse(id).ok().map(KeyId).map(Used::Key),
        ("address", address) => address.parse().ok().map(Used::Address),
        _ => None,
    }
}

#[async_trait]
impl LastUses for Store {
    async fn keep_uses(&self, uses: &[KeptUse]) -> Result<(), StoreError> {
        let mut uses = uses.to_vec();
        // Two nodes that keep the same ones take their rows in one order.
        uses.sort_by_cached_key(|kept| (kept.ubn, word(kept.used)));
        for some in uses.chunks(STRIDE) {
            let tx = self.begin().await.map_err(unavailable)?;
            let backend = tx.get_database_backend();
            for kept in some {
                let values = [kept.ubn.to_string().into(), word(kept.used).into(), micros(kept.at).into()];
                let statement = Statement::from_sql_and_values(backend, KEEP, values);
                tx.execute_raw(statement).await.map_err(unavailable)?;
            }
            tx.commit().await.map_err(unavailable)?;
        }
        Ok(())
    }

    async fn uses_of(&self, ubn: UnifiedBusinessNumber) -> Result<Vec<KeptUse>, StoreError> {
        let sql = "SELECT used, at FROM last_uses WHERE ubn = $1";
        let backend = self.reader.get_database_backend();
        let asked = Statement::from_sql_and_values(backend, sql, [ubn.to_string().into()]);
        let rows = self.reader.query_all_raw(asked).await.map_err(unavailable)?;
        let one = |row: sea_orm::QueryResult| {
            let word: String = row.try_get("", "used").map_err(unavailable)?;
            let at: i64 = row.try_get("", "at").map_err(unavailable)?;
            let used = used(&word).ok_or_else(|| corrupt(TABLE, "used"))?;
            Ok(KeptUse { ubn, used, at: instant(TABLE, "at", at)? })
        };
        rows.into_iter().map(one).collect()
    }
}
