//! Challenges, proofs, notices.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, FixedOffset};
use idcheck_domain::{
    Violation,
    consent::{CONDUCT_VERSION, NOTICE_VERSION},
    taipei,
    value::UnifiedBusinessNumber,
};
use idcheck_usecases::{FieldViolation, Fields, acts::ActName};
use poem::Request;
use poem_openapi::{ApiResponse, Object, OpenApi, param::Path, payload::Json};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    kernel::{
        body::{Described, below, flatten, refused},
        client_address::origin,
        failure::Failure,
        i18n::Lang,
        problem::Problem,
        session::Context,
        shape::{ChallengeRequest, ProofRequest},
        tag::Tag,
    },
    portal::dto::{Proof, proof_of},
};

pub(crate) struct ApplicantApi;

/// A challenge to be signed with the card.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase")]
struct Challenge {
    id: Uuid,
    /// The text to be signed, exactly.
    tbs: String,
    expires_at: DateTime<FixedOffset>,
}

#[derive(ApiResponse)]
enum Issued {
    /// The challenge.
    #[oai(status = 201)]
    Created(Json<Challenge>),
}

/// A text in both languages.
#[derive(Debug, Object)]
struct Sentence {
    #[oai(rename = "zh-Hant-TW")]
    chinese: String,
    en: String,
}

/// A numbered set of texts.
#[derive(Debug, Object)]
struct Articles {
    /// To be named in `consent`.
    version: String,
    items: Vec<Sentence>,
}

/// What an applicant must have read.
#[derive(Debug, Object)]
struct Notices {
    /// 注意事項.
    notices: Articles,
    /// 管理規範.
    conduct: Articles,
}

fn articles(version: &str, key: &str, count: usize) -> Articles {
    let sentence = |number| {
        let key = format!("{key}-{number}");
        Sentence { chinese: Lang::ZhHantTw.t(&key), en: Lang::En.t(&key) }
    };
    Articles { version: version.to_owned(), items: (1..=count).map(sentence).collect() }
}

/// Largest signature taken, decoded.
const MAX_CMS: usize = 64 * 1024;

#[OpenApi(tag = "Tag::Applicant")]
impl ApplicantApi {
    /// Validates the content of an act and issues a challenge for it.
    #[oai(path = "/challenges", method = "post", operation_id = "issueChallenge")]
    async fn issue(
        &self,
        context: Context,
        request: &Request,
        body: Json<Described<ChallengeRequest>>,
    ) -> Result<Issued, Failure> {
        let read = challenge_request(&body.0.0).map_err(|v| context.failure(Problem::content(v)))?;
        let (act, ubn, content) = read;
        let from = origin(request, &context.app.config.trusted_proxies).address;
        let issued = context.app.services.issue_challenge.execute(act, ubn, content, None, from).await;
        let issued = issued.map_err(|refusal| context.failure(refusal_below_content(refusal.into())))?;
        Ok(Issued::Created(Json(Challenge {
            id: issued.id,
            tbs: issued.tbs,
            expires_at: taipei::local(issued.expires_at),
        })))
    }

    /// Verifies the card's signature and performs the act, exactly once.
    #[oai(path = "/challenges/:id/proof", method = "post", operation_id = "proveChallenge")]
    async fn prove(
        &self,
        context: Context,
        id: Path<String>,
        body: Json<Described<ProofRequest>>,
    ) -> Result<Json<Proof>, Failure> {
        let id = Uuid::try_parse(&id.0).map_err(|_| context.failure(Problem::not_found()))?;
        let cms = signature(&body.0.0).map_err(|v| context.failure(Problem::content(v)))?;
        let services = &context.app.services;
        let proven =
            services.prove_challenge.execute(id, &cms, None).await.map_err(|r| context.failure(r))?;
        Ok(Json(proof_of(context.lang, &proven, services.clock.now())))
    }

    #[expect(clippy::unused_async, reason = "handlers are async")]
    /// The eleven notices and the five rules of conduct, with the versions that `consent` names.
    #[oai(path = "/notices", method = "get", operation_id = "readNotices")]
    async fn notices(&self) -> Json<Notices> {
        Json(Notices {
            notices: articles(NOTICE_VERSION, "notice", 11),
            conduct: articles(CONDUCT_VERSION, "conduct", 5),
        })
    }
}

type Read = (ActName, UnifiedBusinessNumber, idcheck_usecases::Content);

fn challenge_request(body: &Value) -> Result<Read, Vec<FieldViolation>> {
    let Some(members) = body.as_object() else { return Err(vec![refused("", Violation::WrongType)]) };
    let flat = flatten(body)?;
    let in_content = |pointer: &str| pointer == "/content" || pointer.starts_with("/content/");
    let head = flat.iter().filter(|(pointer, _)| !in_content(pointer));
    let head = head.map(|(pointer, leaf)| (pointer.to_owned(), leaf.clone())).collect();
    let mut fields = Fields::of(&head);
    let act = fields.required("/act", |text| ActName::parse(text).ok_or(Violation::ValueUnknown));
    let ubn = fields.required("/unifiedBusinessNumber", UnifiedBusinessNumber::parse);
    if !members.get("content").is_some_and(Value::is_object) {
        fields.refuse("/content", Violation::Required);
    }
    let (act, ubn) = fields.finish(act.zip(ubn))?;
    Ok((act, ubn, below(&flat, "content")))
}

/// The content's own pointers, as seen from the whole body.
fn refusal_below_content(problem: Problem) -> Problem {
    problem.below("/content")
}

fn signature(body: &Value) -> Result<Vec<u8>, Vec<FieldViolation>> {
    let content = flatten(body)?;
    let mut fields = Fields::of(&content);
    let cms = fields.required("/signature", |text| {
        if text.len() > MAX_CMS * 4 / 3 + 4 {
            return Err(Violation::TooLong { max: MAX_CMS * 4 / 3 });
        }
        STANDARD.decode(text).map_err(|_| Violation::WrongType)
    });
    fields.finish(cms)
}
