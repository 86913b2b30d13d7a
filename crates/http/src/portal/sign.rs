//! The challenge, the card's signature, and what the act gave.

use base64::{Engine, engine::general_purpose::STANDARD};
use idcheck_domain::{application::StateName, attachment::Attachment, value::CaseNumber};
use idcheck_usecases::{
    acts::{
        ActName, ActResult, ChallengeRefusal, ChallengeState, Gave, HeldChallenge, ProofRefusal, Proven,
        Receipt,
    },
    ports::CardRefusal,
};
use minijinja::{Value, context};
use poem::{
    Request, Response, handler,
    http::StatusCode,
    web::{Path, Query},
};
use uuid::Uuid;

use crate::{
    application::show::{self, Audience},
    kernel::{
        client_address::origin,
        i18n::Lang,
        page::{FormValues, Opener, Page, PostedForm, see_other, value},
        problem::Problem,
        view::moment,
    },
    portal::{
        draft,
        fields::{self, FILES, HOSTS},
        webhook::secret_text,
    },
};

/// What can go wrong with card and component, each told in its own words.
const MESSAGES: [&str; 32] = [
    "absent",
    "blocked",
    "cancelled",
    "card",
    "cardGone",
    "cardWithSerial",
    "closed",
    "expired",
    "government",
    "locked",
    "mobile",
    "noCard",
    "noCertificate",
    "noReader",
    "noneFits",
    "notYetValid",
    "oneCard",
    "oneLeft",
    "other",
    "otherCompany",
    "personal",
    "pinLength",
    "pinMissing",
    "reading",
    "severalCards",
    "sureMissing",
    "timeout",
    "tooOld",
    "twoLeft",
    "untrusted",
    "working",
    "wrongPin",
];

struct Signing<'s> {
    act: ActName,
    challenge: Uuid,
    ubn: String,
    /// What is signed, in a few lines: names of fields and what was typed.
    facts: FormValues,
    tbs: &'s str,
    expires_at: Value,
    /// Its time is over.
    over: bool,
    refused: Option<&'s Problem>,
}

impl<'s> Signing<'s> {
    fn of(
        challenge: Uuid,
        held: &'s HeldChallenge,
        files: &[Attachment],
        refused: Option<&'s Problem>,
    ) -> Self {
        let over = held.state == ChallengeState::Over;
        Self {
            act: held.act,
            challenge,
            ubn: held.ubn.to_string(),
            facts: facts(held, files),
            tbs: &held.tbs,
            expires_at: moment(held.expires_at),
            over,
            refused,
        }
    }
}

/// The fields that tell what is signed, beside act and company.
const FACTS: [&str; 9] = [
    "/companyName",
    HOSTS,
    "/purpose/authority",
    "/purpose/rule",
    "/reason",
    "/label",
    "/contact/name",
    "/url",
    FILES,
];

fn facts(held: &HeldChallenge, files: &[Attachment]) -> FormValues {
    let typed = fields::typed(held.act, held.ubn, &held.content);
    let told = |(name, text): (String, String)| {
        if !FACTS.contains(&name.as_str()) || text.is_empty() {
            return None;
        }
        // A file is told by its name.
        let file = files.iter().find(|file| name == FILES && file.reference.to_string() == text);
        Some((name, file.map_or(text, |file| file.name.as_str().to_owned())))
    };
    typed.into_iter().filter_map(told).collect()
}

fn signing_page(page: &Page<'_>, signing: &Signing<'_>) -> Response {
    let status = signing.refused.map_or(StatusCode::OK, Problem::status);
    let with = to_sign(page.lang, &page.app.config.card_component_origin, signing);
    page.show(status, "sign.html", Opener::Popups, with)
}

fn to_sign(lang: Lang, origin: &str, signing: &Signing<'_>) -> Value {
    // What only the browser knows stays a word in braces, for its script to put in.
    let known_there = ["card", "company", "number", "serial", "wanted"];
    let places: Vec<_> = known_there.map(|name| (name, format!("{{{name}}}").into())).into();
    let messages = MESSAGES.map(|name| (name, lang.t_with(&format!("card-message-{name}"), &places)));
    let messages = Value::from_pairs(messages);
    let refused = signing.refused.map(|problem| {
        let told = problem.told(lang);
        context! { title => told.title, detail => told.detail }
    });
    let error_prefix = lang.t("page-error-prefix");
    context! {
        act => signing.act.as_str(),
        ubn => &signing.ubn,
        facts => signing.facts.iter().map(|(name, text)| context! { label => fields::label(name), text }).collect::<Value>(),
        steps => draft::line(signing.act, "sign"),
        challenge => signing.challenge.to_string(),
        expires_at => &signing.expires_at,
        over => signing.over,
        refused,
        sign => context! {
            origin, tbs => signing.tbs, messages, errorPrefix => error_prefix,
            minutes => lang.t("sign-minutes"), ending => lang.t("sign-ending"),
        },
    }
}

/// The signing page with each refusal of a card, and without one; the page of the result.
#[cfg(test)]
pub(crate) fn rendered(lang: Lang, act: ActName, shared: &Value) {
    use crate::kernel::view::render;
    let refusals = CardRefusal::ALL.map(|card| Problem::from(ProofRefusal::Card(card)));
    for refused in std::iter::once(None).chain(refusals.iter().map(Some)) {
        for over in [false, true] {
            let expires_at = moment(chrono::DateTime::UNIX_EPOCH);
            let facts = FACTS.map(|name| (name.to_owned(), "x".to_owned())).into();
            let signing = Signing {
                act,
                challenge: Uuid::nil(),
                ubn: "04595257".to_owned(),
                facts,
                tbs: "t",
                expires_at,
                over,
                refused,
            };
            let with = to_sign(lang, "http://localhost:61161", &signing);
            render("sign.html", lang, "n", context! { ..with, ..shared.clone() }).unwrap();
        }
    }
    let with = context! { act => act.as_str(), own => true, hidden => true };
    render("result.html", lang, "n", context! { ..with, ..shared.clone() }).unwrap();
}

/// The challenge of this browser that a path names; of one that was used it is said that it was.
async fn held(page: &Page<'_>, id: &str) -> poem::Result<(Uuid, HeldChallenge)> {
    let id = Uuid::try_parse(id).map_err(|_| page.not_found("/"))?;
    let held = page.app.services.issue_challenge.held(id, page.session()).await;
    let held = page.or_problem(held, "/")?.ok_or(ProofRefusal::UnknownChallenge);
    let held = page.or_problem(held, "/")?;
    if held.state == ChallengeState::Spent {
        return Err(poem::Error::from_response(page.problem(&ProofRefusal::Spent.into(), "/progress")));
    }
    Ok((id, held))
}

/// `GET /sign/:id`: the page that signs a challenge; it can be reloaded, gone back to and read in the other language. What was said
/// against a card stands in its address.
#[handler]
pub(crate) async fn show_challenge(
    page: Page<'_>,
    Path(id): Path<String>,
    Query(query): Query<FormValues>,
) -> poem::Result<Response> {
    let (id, held) = held(&page, &id).await?;
    let refused = CardRefusal::ALL.into_iter().find(|card| card.code() == value(&query, REFUSED));
    let refused = refused.map(|card| Problem::from(ProofRefusal::Card(card)));
    let files = fields::files(&fields::typed(held.act, held.ubn, &held.content));
    let files = page.app.services.attachments.waiting(&files, Some(page.session())).await;
    let files = page.or_problem(files, "/")?;
    Ok(signing_page(&page, &Signing::of(id, &held, &files, refused.as_ref())))
}

/// Names the refusal of a card in an address.
const REFUSED: &str = "refused";

/// `POST /sign/:id/again`: another challenge for the same content, with the whole time.
#[handler]
pub(crate) async fn issue_again(
    page: Page<'_>,
    request: &Request,
    Path(id): Path<String>,
    _: PostedForm,
) -> poem::Result<Response> {
    let (id, held) = held(&page, &id).await?;
    let from = origin(request, &page.app.config.trusted_proxies).address;
    let services = &page.app.services;
    // Before there is another one the draft is still known by this one.
    let (draft, form) = draft::of_challenge(&page, request, id, &held).await?;
    match services.issue_challenge.again(id, page.session(), from).await {
        Ok(issued) => {
            page.or_problem(services.drafts.signs(draft.id, page.session(), issued.id).await, "/")?;
            Ok(see_other(&format!("/sign/{}", issued.id)))
        }
        // What was right when it was typed need not be right now.
        Err(ChallengeRefusal::Content(_)) => Ok(see_other(&format!("{form}?told=1"))),
        Err(refusal) => Ok(page.problem(&refusal.into(), "/")),
    }
}

/// `GET /sign/:id/form`: leads to what is to be signed, for whoever wants to change it.
#[handler]
pub(crate) async fn change_content(
    page: Page<'_>,
    request: &Request,
    Path(id): Path<String>,
) -> poem::Result<Response> {
    let (id, held) = held(&page, &id).await?;
    Ok(see_other(&draft::of_challenge(&page, request, id, &held).await?.1))
}

/// `POST /sign/:id`: verifies the signature and acts.
#[handler]
pub(crate) async fn prove_challenge(
    page: Page<'_>,
    Path(id): Path<String>,
    PostedForm(typed): PostedForm,
) -> poem::Result<Response> {
    let challenge = Uuid::try_parse(&id).map_err(|_| page.not_found("/"))?;
    let cms = STANDARD.decode(value(&typed, "signature").trim()).unwrap_or_default();
    let services = &page.app.services;
    match services.prove_challenge.execute(challenge, &cms, Some(page.session())).await {
        Ok(proven) => Ok(goes_on(&page, challenge, proven)),
        Err(ProofRefusal::Card(card)) => {
            Ok(see_other(&format!("/sign/{challenge}?{REFUSED}={}", card.code())))
        }
        Err(ProofRefusal::Expired) => {
            let (_, held) = held(&page, &id).await?;
            let here = format!("/sign/{challenge}");
            Ok(match held.state {
                ChallengeState::Over => see_other(&here),
                // Not the time but the content: it was right by rules of before.
                _ => page.problem(&ProofRefusal::Expired.into(), &format!("{here}/form")),
            })
        }
        Err(refusal) => Ok(page.problem(&refusal.into(), "/progress")),
    }
}

/// Where an act leads to: a page of its own, so that reloading and going back ask for no signature again.
fn goes_on(page: &Page<'_>, challenge: Uuid, proven: Proven) -> Response {
    match proven.result {
        ActResult::Progress(progress) => {
            let mut response = see_other("/organisation");
            page.set_cookie(&mut response, Page::OWN_COOKIE, progress.session.expose(), "Strict");
            response
        }
        ActResult::Application(case) if case.state.name() == StateName::Received => {
            // The challenge says which browser may see the case, and nothing to any other.
            see_other(&format!("/applications/{}?filing={challenge}", case.case_number))
        }
        _ => see_other(&format!("/sign/{challenge}/done")),
    }
}

/// `GET /sign/:id/done`: what the act gave.
#[handler]
pub(crate) async fn done(page: Page<'_>, Path(id): Path<String>) -> poem::Result<Response> {
    let id = Uuid::try_parse(&id).map_err(|_| page.not_found("/progress"))?;
    let services = &page.app.services;
    let receipt = page.or_problem(services.read_receipt.execute(id, page.session()).await, "/progress")?;
    let Some(Receipt { act, gave }) = receipt else { return Ok(see_other("/progress")) };
    let now = services.clock.now();
    let with = match gave {
        Gave::Case(case) => {
            context! { case => show::case(&case, &[], Audience::applicant(page.lang), now) }
        }
        Gave::Key(key) => context! { key => show::key(&key, "", now, &[]) },
        Gave::IssKey { environment, account, iss_key, key } => context! {
            environment => environment.as_str(),
            account,
            iss_key => iss_key.expose(),
            key => key.map_or(Value::UNDEFINED, |key| show::key(&key, "", now, &[])),
        },
        Gave::Webhook(set) => context! { url => set.url.as_str(), secret => secret_text(&set.secret) },
        Gave::Done => context! {},
    };
    let hidden = matches!(act, ActName::RevealIssKey | ActName::RotateIssKey | ActName::SetWebhook);
    let with = context! { act => act.as_str(), hidden, own => page.own_token().is_some(), ..with };
    Ok(page.show(StatusCode::OK, "result.html", Opener::Isolated, with))
}

/// `/applications/:number`: the case just filed (圖4–6), for the browser that filed it.
#[handler]
pub(crate) async fn accepted(
    page: Page<'_>,
    Path(number): Path<String>,
    Query(query): Query<FormValues>,
) -> poem::Result<Response> {
    let (Some(number), Ok(filing)) = (CaseNumber::parse(&number), Uuid::try_parse(value(&query, "filing")))
    else {
        return Ok(see_other("/progress"));
    };
    let services = &page.app.services;
    let receipt = services.read_receipt.filed(&number, filing, page.session()).await;
    let Some(case) = page.or_problem(receipt, "/progress")? else { return Ok(see_other("/progress")) };
    let now = services.clock.now();
    let with = context! { case => show::case(&case, &[], Audience::applicant(page.lang), now), printed_at => moment(now) };
    Ok(page.show(StatusCode::OK, "accepted.html", Opener::Isolated, with))
}
