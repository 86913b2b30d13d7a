//! Officers: the yearly sweep (注意事項 十一).

use chrono::{DateTime, FixedOffset};
use idcheck_domain::{
    company::Finding,
    officer::OfficerId,
    sweep::{self, SweepId},
    taipei,
    value::Reason,
};
use idcheck_usecases::{
    OfficerNames,
    sweep::{SweepFile, SweptBy},
};
use poem_openapi::{ApiResponse, Object, OpenApi, param::Path, payload::Json};
use uuid::Uuid;

use crate::kernel::{body::Described, failure::Failure, session::SignedIn, tag::Tag};

pub(crate) struct SweepsApi;

type Time = DateTime<FixedOffset>;

/// A comparison of all organisations with the company register.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Sweep {
    id: Uuid,
    begun_at: Time,
    /// The user name of who began it; none where the operator did.
    begun_by: Option<String>,
    /// The moment of the register's snapshot; none where the register answers with what is so now.
    register_of: Option<Time>,
}

fn sweep_of(sweep: &sweep::Sweep, names: &OfficerNames) -> Sweep {
    Sweep {
        id: sweep.id.0,
        begun_at: taipei::local(sweep.begun_at),
        begun_by: name(names, sweep.begun_by),
        register_of: sweep.register_of.map(taipei::local),
    }
}

fn name(names: &OfficerNames, id: Option<OfficerId>) -> Option<String> {
    id.and_then(|id| names.get(&id).cloned())
}

/// The latest sweeps.
#[derive(Debug, Object)]
struct SweepList {
    /// Newest first.
    sweeps: Vec<Sweep>,
}

/// How many organisations were found how.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct Counts {
    matches: usize,
    name_differs: usize,
    not_found: usize,
    dissolved: usize,
    /// The register has not answered about them yet.
    unread: usize,
    /// They wait for a person.
    waiting: usize,
}

/// An organisation on the worklist.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct Item {
    unified_business_number: String,
    /// Its name when the sweep began.
    name: String,
    /// `matches`, `nameDiffers`, `notFound` or `dissolved`; none until the register has answered.
    finding: Option<String>,
    /// The register's name where it differs, or its words for the state of a company that is dissolved.
    detail: Option<String>,
    /// `waiting`, `revoked` or `kept`.
    outcome: String,
    decided_by: Option<String>,
    decided_at: Option<Time>,
    note: Option<String>,
}

fn item_of(item: &sweep::SweepItem, names: &OfficerNames) -> Item {
    let ruling = item.outcome.ruling();
    Item {
        unified_business_number: item.ubn.to_string(),
        name: item.name.as_str().to_owned(),
        finding: item.finding.as_ref().map(|finding| finding.as_str().to_owned()),
        detail: item.finding.as_ref().and_then(Finding::detail).map(str::to_owned),
        outcome: item.outcome.as_str().to_owned(),
        decided_by: name(names, ruling.map(|ruling| ruling.by)),
        decided_at: ruling.map(|ruling| taipei::local(ruling.at)),
        note: ruling.and_then(|ruling| Some(ruling.note.as_ref()?.as_str().to_owned())),
    }
}

/// A sweep with its worklist.
#[derive(Debug, Object)]
struct Worklist {
    sweep: Sweep,
    counts: Counts,
    /// By unified business number.
    items: Vec<Item>,
}

fn worklist_of(file: &SweepFile) -> Worklist {
    Worklist {
        sweep: sweep_of(&file.sweep, &file.officers),
        counts: Counts {
            matches: file.found("matches"),
            name_differs: file.found("nameDiffers"),
            not_found: file.found("notFound"),
            dissolved: file.found("dissolved"),
            unread: file.unread(),
            waiting: file.waiting(),
        },
        items: file.items.iter().map(|item| item_of(&item.value, &file.officers)).collect(),
    }
}

/// Why access is left as it is.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct KeepRequest {
    /// Not told to the organisation.
    reason: String,
}

#[derive(ApiResponse)]
enum Begun {
    /// The sweep, or the one of the same day.
    #[oai(status = 201)]
    Created(Json<Sweep>),
}

impl SignedIn {
    async fn worklist(&self, id: SweepId) -> Result<Json<Worklist>, Failure> {
        let services = &self.app.services;
        Ok(Json(worklist_of(&self.or_failure(services.sweeps.file(&self.officer, id).await)?)))
    }
}

#[OpenApi(tag = "Tag::Officer")]
impl SweepsApi {
    /// The latest sweeps.
    #[oai(path = "/officer/sweeps", method = "get", operation_id = "listSweeps")]
    async fn list(&self, signed_in: SignedIn) -> Result<Json<SweepList>, Failure> {
        let services = &signed_in.app.services;
        let sweeps = signed_in.or_failure(services.sweeps.list(&signed_in.officer).await)?;
        let shown = sweeps.value.iter().map(|sweep| sweep_of(sweep, &sweeps.officers));
        Ok(Json(SweepList { sweeps: shown.collect() }))
    }

    /// Begins a sweep, or goes on with the one of the same day. The register is asked beside; nobody's access ends by
    /// this.
    #[oai(path = "/officer/sweeps", method = "post", operation_id = "beginSweep")]
    async fn begin(&self, signed_in: SignedIn) -> Result<Begun, Failure> {
        let services = &signed_in.app.services;
        let begun =
            signed_in.or_failure(services.sweeps.begin(SweptBy::Officer(&signed_in.officer)).await)?;
        Ok(Begun::Created(Json(sweep_of(&begun.value, &begun.officers))))
    }

    /// A sweep with its worklist.
    #[oai(path = "/officer/sweeps/:id", method = "get", operation_id = "readSweep")]
    async fn sweep(&self, signed_in: SignedIn, id: Path<String>) -> Result<Json<Worklist>, Failure> {
        signed_in.worklist(SweepId(signed_in.uuid(&id.0)?)).await
    }

    /// Revokes the access of all organisations that were not found or are dissolved, as the second person.
    #[oai(path = "/officer/sweeps/:id/confirm", method = "post", operation_id = "confirmSweep")]
    async fn confirm_all(&self, signed_in: SignedIn, id: Path<String>) -> Result<Json<Worklist>, Failure> {
        let id = SweepId(signed_in.uuid(&id.0)?);
        let services = &signed_in.app.services;
        let confirmed = services.sweeps.confirm_all(&signed_in.officer, id).await;
        signed_in.or_failure(confirmed)?;
        signed_in.worklist(id).await
    }

    /// Revokes the access of one organisation that was not found or is dissolved, as the second person.
    #[oai(
        path = "/officer/sweeps/:id/items/:ubn/confirm",
        method = "post",
        operation_id = "confirmSweepItem"
    )]
    async fn confirm(
        &self,
        signed_in: SignedIn,
        id: Path<String>,
        ubn: Path<String>,
    ) -> Result<Json<Worklist>, Failure> {
        let (id, ubn) = (SweepId(signed_in.uuid(&id.0)?), signed_in.ubn(&ubn.0)?);
        let services = &signed_in.app.services;
        signed_in.or_failure(services.sweeps.confirm(&signed_in.officer, id, ubn).await)?;
        signed_in.worklist(id).await
    }

    /// Leaves the access of one organisation as it is.
    #[oai(path = "/officer/sweeps/:id/items/:ubn/keep", method = "post", operation_id = "keepSweepItem")]
    async fn keep(
        &self,
        signed_in: SignedIn,
        id: Path<String>,
        ubn: Path<String>,
        body: Json<Described<KeepRequest>>,
    ) -> Result<Json<Worklist>, Failure> {
        let (id, ubn) = (SweepId(signed_in.uuid(&id.0)?), signed_in.ubn(&ubn.0)?);
        let reason = signed_in.read(&body.0.0, |fields| fields.required("/reason", Reason::parse))?;
        let services = &signed_in.app.services;
        signed_in.or_failure(services.sweeps.keep(&signed_in.officer, id, ubn, &reason).await)?;
        signed_in.worklist(id).await
    }
}
