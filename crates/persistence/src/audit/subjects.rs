//! What the identities of the log stand for, and those of an organisation.

use std::collections::HashMap;

use idcheck_domain::{
    application::ApplicationId,
    value::{CaseNumber, CompanyName, UnifiedBusinessNumber},
};
use idcheck_usecases::ports::{KnownSubject, StoreError};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::{
    application::entity::application,
    kernel::{
        cell::{corrupt, date},
        store::{Store, unavailable},
    },
    notice::entity::notice,
    officer::entity::officer,
    organisation::entity::{organisation, registered_key},
    plan::entity as plan,
    sweep::entity::sweep,
    template::entity as template,
};

fn ubn(text: &str) -> Result<UnifiedBusinessNumber, StoreError> {
    UnifiedBusinessNumber::parse(text).map_err(|_| corrupt("organisations", "ubn"))
}

/// The ends of the identities of a kind.
fn of_kind<'i>(identities: &'i [String], kind: &str) -> Vec<&'i str> {
    let end = |identity: &'i String| identity.strip_prefix(kind)?.strip_prefix(':');
    identities.iter().filter_map(end).collect()
}

fn ids(identities: &[String], kind: &str) -> Vec<Uuid> {
    of_kind(identities, kind).into_iter().filter_map(|id| Uuid::try_parse(id).ok()).collect()
}

/// Identity and organisation of rows that are an organisation's own.
macro_rules! own {
    ($store:expr, $identities:expr, $kind:literal, $entity:ident) => {{
        let ids = ids($identities, $kind);
        let query = $entity::Entity::find()
            .select_only()
            .columns([$entity::Column::Id, $entity::Column::Ubn])
            .filter($entity::Column::Id.is_in(ids));
        let rows: Vec<(Uuid, String)> = query.into_tuple().all(&$store.reader).await.map_err(unavailable)?;
        let known =
            |(id, of): (Uuid, String)| Ok((format!("{}:{id}", $kind), KnownSubject::Of { ubn: ubn(&of)? }));
        rows.into_iter().map(known).collect::<Result<Vec<_>, StoreError>>()?
    }};
}

impl Store {
    pub(super) async fn known_subjects(
        &self,
        identities: &[String],
    ) -> Result<HashMap<String, KnownSubject>, StoreError> {
        let mut known = HashMap::new();
        let db = &self.reader;
        let query = application::Entity::find()
            .select_only()
            .columns([application::Column::Id, application::Column::CaseNumber, application::Column::Ubn])
            .filter(application::Column::Id.is_in(ids(identities, "application")));
        let rows: Vec<(Uuid, String, String)> = query.into_tuple().all(db).await.map_err(unavailable)?;
        for (id, number, of) in rows {
            let number = CaseNumber::parse(&number).ok_or_else(|| corrupt("applications", "case_number"))?;
            let (id, of) = (ApplicationId(id), ubn(&of)?);
            known.insert(format!("application:{id}"), KnownSubject::Application { id, number, ubn: of });
        }
        let query = organisation::Entity::find()
            .filter(organisation::Column::Ubn.is_in(of_kind(identities, "organisation")));
        for row in query.all(db).await.map_err(unavailable)? {
            let name = CompanyName::parse(&row.name).map_err(|_| corrupt("organisations", "name"))?;
            let of = ubn(&row.ubn)?;
            known.insert(format!("organisation:{of}"), KnownSubject::Organisation { ubn: of, name });
        }
        known.extend(own!(self, identities, "notice", notice));
        known.extend(own!(self, identities, "plan", plan));
        known.extend(own!(self, identities, "key", registered_key));
        let query = officer::Entity::find().filter(officer::Column::Id.is_in(ids(identities, "officer")));
        for row in query.all(db).await.map_err(unavailable)? {
            known.insert(format!("officer:{}", row.id), KnownSubject::Officer(row.username));
        }
        let query = template::Entity::find().filter(template::Column::Id.is_in(ids(identities, "template")));
        for row in query.all(db).await.map_err(unavailable)? {
            known.insert(format!("template:{}", row.id), KnownSubject::Template(row.title));
        }
        let query = sweep::Entity::find().filter(sweep::Column::Id.is_in(ids(identities, "sweep")));
        for row in query.all(db).await.map_err(unavailable)? {
            let day = date("sweeps", "day", &row.day)?;
            known.insert(format!("sweep:{}", row.id), KnownSubject::Sweep(day));
        }
        Ok(known)
    }

    pub(super) async fn own_identities(&self, of: UnifiedBusinessNumber) -> Result<Vec<String>, StoreError> {
        let mut all = vec![format!("organisation:{of}")];
        macro_rules! own {
            ($kind:literal, $entity:ident) => {
                let query = $entity::Entity::find()
                    .select_only()
                    .column($entity::Column::Id)
                    .filter($entity::Column::Ubn.eq(of.as_str()));
                let ids: Vec<Uuid> = query.into_tuple().all(&self.reader).await.map_err(unavailable)?;
                all.extend(ids.into_iter().map(|id| format!("{}:{id}", $kind)));
            };
        }
        own!("application", application);
        own!("notice", notice);
        own!("plan", plan);
        own!("key", registered_key);
        Ok(all)
    }
}
