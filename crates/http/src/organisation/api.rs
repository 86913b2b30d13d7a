//! Officers: what organisations hold — revoke with a second person, stop, reopen, judge improvement plans.

use idcheck_domain::{
    Violation,
    access::Ground,
    plan::PlanId,
    revocation::RevocationId,
    value::{Reason, UnifiedBusinessNumber},
};
use idcheck_usecases::{Fields, organisation::RevocationRuling, plan::PlanRuling};
use poem_openapi::{ApiResponse, Object, OpenApi, param::Path, payload::Json};

use crate::{
    application::api::version,
    kernel::{body::Described, failure::Failure, session::SignedIn, tag::Tag},
    organisation::{
        dto::{ImprovementPlan, Revocation, Suspended, plan_of, revocation_of, suspended_of},
        file::{File, file_of},
    },
};

pub(crate) struct CaseworkApi;

/// A request to revoke access.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct RevokeRequest {
    /// `abuse`, `conduct` or `notRegistered`.
    ground: String,
    /// Why; told to the organisation once another person confirms.
    reason: String,
}

/// What was read.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct VersionRequest {
    /// The version that was read.
    #[oai(validator(minimum(value = "1")))]
    version: i64,
}

/// A ruling with a note.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct NoteRequest {
    note: Option<String>,
    /// The version that was read.
    #[oai(validator(minimum(value = "1")))]
    version: i64,
}

/// A ruling with a reason.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct ReasonedRequest {
    reason: String,
    /// The version that was read.
    #[oai(validator(minimum(value = "1")))]
    version: i64,
}

/// A reason.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
struct ReasonRequest {
    /// Told to the organisation.
    reason: String,
}

#[derive(ApiResponse)]
enum Asked {
    /// The request; it waits for another person.
    #[oai(status = 201)]
    Created(Json<Revocation>),
}

/// A user of the organisation.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields, rename_all = "camelCase")]
struct UserRequest {
    /// As the organisation's queries name the user.
    user_id: String,
}

/// Suspended users.
#[derive(Debug, Object)]
struct SuspendedUsers {
    /// Longest suspended first.
    users: Vec<Suspended>,
}

/// Requests to revoke.
#[derive(Debug, Object)]
struct Revocations {
    /// Oldest first.
    revocations: Vec<Revocation>,
}

/// Improvement plans.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct Plans {
    /// Oldest first.
    improvement_plans: Vec<ImprovementPlan>,
}

/// An organisation that has access and does not use it.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct DormantOrganisation {
    unified_business_number: String,
    name: String,
    /// The day (Taipei) of its last query, or of its approval where that is later.
    since: chrono::NaiveDate,
}

/// Organisations that have not asked for 12 months (注意事項 八(二)).
#[derive(Debug, Object)]
struct DormantOrganisations {
    /// By unified business number.
    organisations: Vec<DormantOrganisation>,
}

impl SignedIn {
    async fn file(&self, ubn: UnifiedBusinessNumber) -> Result<Json<File>, Failure> {
        let services = &self.app.services;
        let file = self.or_failure(services.organisations.organisation(&self.officer, ubn).await)?;
        Ok(Json(file_of(self.lang, &file, services.clock.now())))
    }

    async fn rule(
        &self,
        id: &str,
        version: i64,
        ruling: &RevocationRuling,
    ) -> Result<Json<Revocation>, Failure> {
        let id = RevocationId(self.uuid(id)?);
        let services = &self.app.services;
        let ruled = self.or_failure(services.govern.rule(&self.officer, id, version, ruling).await)?;
        Ok(Json(revocation_of(&ruled.value, &ruled.officers)))
    }

    async fn judge(
        &self,
        id: &str,
        version: i64,
        ruling: &PlanRuling,
    ) -> Result<Json<ImprovementPlan>, Failure> {
        let id = PlanId(self.uuid(id)?);
        let services = &self.app.services;
        let ruled = self.or_failure(services.plans.rule(&self.officer, id, version, ruling).await)?;
        Ok(Json(plan_of(&ruled.value, &ruled.officers)))
    }
}

#[OpenApi(tag = "Tag::Officer")]
impl CaseworkApi {
    /// An organisation with all that was done about it.
    #[oai(path = "/officer/organisations/:ubn", method = "get", operation_id = "readOrganisation")]
    async fn organisation(&self, signed_in: SignedIn, ubn: Path<String>) -> Result<Json<File>, Failure> {
        let ubn = signed_in.ubn(&ubn.0)?;
        signed_in.file(ubn).await
    }

    /// Asks for a revocation (註銷). Access stays as it is until a supervisor other than the caller confirms.
    #[oai(path = "/officer/organisations/:ubn/revoke", method = "post", operation_id = "askForRevocation")]
    async fn ask(
        &self,
        signed_in: SignedIn,
        ubn: Path<String>,
        body: Json<Described<RevokeRequest>>,
    ) -> Result<Asked, Failure> {
        let ubn = signed_in.ubn(&ubn.0)?;
        let (ground, reason) = signed_in.read(&body.0.0, |fields| {
            let ground =
                fields.required("/ground", |text| Ground::parse(text).ok_or(Violation::ValueUnknown));
            ground.zip(fields.required("/reason", Reason::parse))
        })?;
        let services = &signed_in.app.services;
        let asked = services.govern.ask(&signed_in.officer, ubn, ground, &reason).await;
        let asked = signed_in.or_failure(asked)?;
        Ok(Asked::Created(Json(revocation_of(&asked.value, &asked.officers))))
    }

    /// Stops active access on a documented request, where the card of a former number is dead (注意事項 八(三)).
    #[oai(
        path = "/officer/organisations/:ubn/suspend",
        method = "post",
        operation_id = "suspendOrganisation"
    )]
    async fn suspend(
        &self,
        signed_in: SignedIn,
        ubn: Path<String>,
        body: Json<Described<ReasonRequest>>,
    ) -> Result<Json<File>, Failure> {
        let ubn = signed_in.ubn(&ubn.0)?;
        let reason = signed_in.read(&body.0.0, |fields| fields.required("/reason", Reason::parse))?;
        let services = &signed_in.app.services;
        signed_in.or_failure(services.govern.suspend(&signed_in.officer, ubn, &reason).await)?;
        signed_in.file(ubn).await
    }

    /// Opens the way back for a company that is registered again (注意事項 十一).
    #[oai(path = "/officer/organisations/:ubn/lift", method = "post", operation_id = "liftRevocation")]
    async fn lift(
        &self,
        signed_in: SignedIn,
        ubn: Path<String>,
        body: Json<Described<ReasonRequest>>,
    ) -> Result<Json<File>, Failure> {
        let ubn = signed_in.ubn(&ubn.0)?;
        let reason = signed_in.read(&body.0.0, |fields| fields.required("/reason", Reason::parse))?;
        let services = &signed_in.app.services;
        signed_in.or_failure(services.govern.lift(&signed_in.officer, ubn, &reason).await)?;
        signed_in.file(ubn).await
    }

    /// Users who get result 8, of all organisations.
    #[oai(path = "/officer/suspended-users", method = "get", operation_id = "listSuspendedUsers")]
    async fn suspended_users(&self, signed_in: SignedIn) -> Result<Json<SuspendedUsers>, Failure> {
        let users = &signed_in.app.services.users;
        let suspended = signed_in.or_failure(users.suspended(&signed_in.officer, None).await)?;
        Ok(Json(SuspendedUsers { users: suspended.iter().map(suspended_of).collect() }))
    }

    /// Lets a suspended user ask again, from the next query on.
    #[oai(
        path = "/officer/organisations/:ubn/lift-user",
        method = "post",
        operation_id = "liftUserSuspension"
    )]
    async fn lift_user(
        &self,
        signed_in: SignedIn,
        ubn: Path<String>,
        body: Json<Described<UserRequest>>,
    ) -> Result<Json<File>, Failure> {
        let ubn = signed_in.ubn(&ubn.0)?;
        let user = signed_in.read(&body.0.0, |fields| {
            fields.required("/userId", |text| Ok::<_, Violation>(text.to_owned()))
        })?;
        let users = &signed_in.app.services.users;
        signed_in.or_failure(users.lift(&signed_in.officer, ubn, &user).await)?;
        signed_in.file(ubn).await
    }

    /// Requests to revoke that wait for the second person.
    #[oai(path = "/officer/revocations", method = "get", operation_id = "listRevocations")]
    async fn revocations(&self, signed_in: SignedIn) -> Result<Json<Revocations>, Failure> {
        let services = &signed_in.app.services;
        let waiting = signed_in.or_failure(services.organisations.waiting(&signed_in.officer).await)?;
        let revocations = waiting.revocations.iter().map(|read| revocation_of(read, &waiting.officers));
        Ok(Json(Revocations { revocations: revocations.collect() }))
    }

    /// Confirms a request as second person: access is revoked at once.
    #[oai(path = "/officer/revocations/:id/confirm", method = "post", operation_id = "confirmRevocation")]
    async fn confirm(
        &self,
        signed_in: SignedIn,
        id: Path<String>,
        body: Json<Described<VersionRequest>>,
    ) -> Result<Json<Revocation>, Failure> {
        let version = signed_in.read(&body.0.0, version)?;
        signed_in.rule(&id.0, version, &RevocationRuling::Confirm).await
    }

    /// Declines a request, or takes one's own back.
    #[oai(path = "/officer/revocations/:id/decline", method = "post", operation_id = "declineRevocation")]
    async fn decline(
        &self,
        signed_in: SignedIn,
        id: Path<String>,
        body: Json<Described<ReasonedRequest>>,
    ) -> Result<Json<Revocation>, Failure> {
        let (note, version) = signed_in.read(&body.0.0, reason_and_version)?;
        signed_in.rule(&id.0, version, &RevocationRuling::Decline { note }).await
    }

    /// Organisations with access that have not asked for 12 months; each was reminded by mail.
    #[oai(path = "/officer/dormant", method = "get", operation_id = "listDormantOrganisations")]
    async fn dormant(&self, signed_in: SignedIn) -> Result<Json<DormantOrganisations>, Failure> {
        let services = &signed_in.app.services;
        let waiting = signed_in.or_failure(services.organisations.waiting(&signed_in.officer).await)?;
        let organisations = waiting.dormant.iter().map(|one| DormantOrganisation {
            unified_business_number: one.ubn.to_string(),
            name: one.name.as_str().to_owned(),
            since: one.since,
        });
        Ok(Json(DormantOrganisations { organisations: organisations.collect() }))
    }

    /// Improvement plans that wait for an officer.
    #[oai(path = "/officer/plans", method = "get", operation_id = "listImprovementPlans")]
    async fn plans(&self, signed_in: SignedIn) -> Result<Json<Plans>, Failure> {
        let services = &signed_in.app.services;
        let waiting = signed_in.or_failure(services.organisations.waiting(&signed_in.officer).await)?;
        let plans = waiting.plans.iter().map(|read| plan_of(read, &waiting.officers));
        Ok(Json(Plans { improvement_plans: plans.collect() }))
    }

    /// Takes a plan as sufficient: a new `Apply` is possible (注意事項 十).
    #[oai(path = "/officer/plans/:id/approve", method = "post", operation_id = "approveImprovementPlan")]
    async fn approve(
        &self,
        signed_in: SignedIn,
        id: Path<String>,
        body: Json<Described<NoteRequest>>,
    ) -> Result<Json<ImprovementPlan>, Failure> {
        let (note, version) = signed_in.read(&body.0.0, |fields| {
            let note = fields.optional("/note", Reason::parse);
            version(fields).map(|version| (note, version))
        })?;
        signed_in.judge(&id.0, version, &PlanRuling::Approve { note }).await
    }

    /// Sends a plan back with a reason.
    #[oai(path = "/officer/plans/:id/reject", method = "post", operation_id = "rejectImprovementPlan")]
    async fn reject(
        &self,
        signed_in: SignedIn,
        id: Path<String>,
        body: Json<Described<ReasonedRequest>>,
    ) -> Result<Json<ImprovementPlan>, Failure> {
        let (reason, version) = signed_in.read(&body.0.0, reason_and_version)?;
        signed_in.judge(&id.0, version, &PlanRuling::Reject { reason }).await
    }
}

fn reason_and_version(fields: &mut Fields<'_>) -> Option<(Reason, i64)> {
    let reason = fields.required("/reason", Reason::parse);
    reason.zip(version(fields))
}
