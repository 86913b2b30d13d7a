//! A form is a draft with an address of its own: it is filled in step by step, checked and led to its signature. Every POST answers with
//! 303, so that each page can be reloaded, gone back to, opened twice and read in the other language.

use idcheck_domain::{
    Violation,
    attachment::{Attachment, FileReference},
    value::UnifiedBusinessNumber,
};
use idcheck_usecases::{
    FieldViolation,
    acts::{ActName, Progress},
    attachment::FileRefusal,
    ports::StoredDraft,
};
use minijinja::{Value, context};
use poem::{
    Request, Response, handler,
    http::{StatusCode, header},
    web::{Path, Query},
};
use uuid::Uuid;

use crate::{
    attachment::page::shown as shown_file,
    kernel::{
        client_address::origin,
        i18n::Lang,
        page::{
            FormValues, Opener, Page, PostedFile, PostedFiles, PostedForm, query_string, see_other, value,
        },
        view::moment,
    },
    portal::{
        about::{self, Opened},
        fields::{self, CONSENT, FILES, PUBLIC_KEY, REFUSED_FILE, UBN},
        steps::{self, CHECK, Step},
    },
};

/// What the pressed button of a form asks for, where it is not to go on: `lang-en`, `add`, `remove-2`, `keep`.
const GO: &str = "go";

/// The box that says that one is sure.
const SURE: &str = "sure";

/// The address of a page of a draft.
fn address(id: Uuid, step: &str) -> String {
    format!("/drafts/{id}/{step}")
}

/// Everything that is wrong with a form.
fn violations(page: &Page<'_>, act: ActName, typed: &FormValues) -> Vec<FieldViolation> {
    let content = fields::content(act, typed);
    let issue = &page.app.services.issue_challenge;
    let mut wrong = match fields::ubn(typed) {
        Ok(ubn) => issue.validate(act, ubn, &content).err().unwrap_or_default(),
        Err(violation) => {
            // The rest is told too; no rule but that of the former number depends on the number.
            let any = UnifiedBusinessNumber::parse("00000005");
            let rest = any.ok().and_then(|any| issue.validate(act, any, &content).err());
            std::iter::once(violation).chain(rest.unwrap_or_default()).collect()
        }
    };
    // Two versions make one box.
    let box_of = |pointer: &str| wrong.iter().find(|v| v.pointer == pointer).map(|v| v.violation);
    if box_of("/consent/noticeVersion") == box_of("/consent/conductVersion") {
        wrong.retain(|v| v.pointer != "/consent/conductVersion");
    }
    wrong
}

/// Whether a page asks for a field: not for the number of a company that is known.
fn asks(step: &Step, about: &FormValues, field: &str) -> bool {
    step.asks(field) && !(field == UBN && about::knows_company(about))
}

/// What a page of a form shows.
struct Shown<'s> {
    act: ActName,
    step: &'s Step,
    typed: &'s FormValues,
    about: &'s FormValues,
    /// Where it is kept, once it is.
    draft: Option<&'s StoredDraft>,
    wrong: &'s [FieldViolation],
    /// The files that were kept for it.
    files: &'s [Attachment],
}

/// One file of a form; one that is gone is named so, to be taken away.
fn one_file(lang: Lang, file: &FileReference, kept: &[Attachment]) -> Value {
    let found = kept.iter().find(|kept| kept.reference == *file);
    found.map_or_else(
        || context! { reference => file.to_string(), name => lang.t("file-gone"), kind => "", size => "" },
        shown_file,
    )
}

impl Shown<'_> {
    /// Whether a field is asked for on this page.
    fn asks(&self, field: &str) -> bool {
        asks(self.step, self.about, field)
    }

    fn context(&self, lang: Lang) -> Value {
        let Self { act, step, typed, about, draft, wrong, files } = *self;
        let action = match draft {
            Some(draft) if steps::files_a_case(act) => address(draft.id, step.name),
            Some(draft) => address(draft.id, "sign"),
            None => format!("/acts/{}", act.as_str()),
        };
        let asked = |field: &str| self.asks(field);
        context! {
            act => act.as_str(),
            step => step.name,
            one => steps::steps(act).len() == 1,
            keep => match draft {
                Some(draft) => address(draft.id, step.name),
                None => action.clone(),
            },
            signs => !steps::files_a_case(act),
            action,
            steps => line(act, step.name),
            back => back(act, step, draft, about),
            about => about::shown(about),
            sandbox_only => !value(about, about::SANDBOX_ONLY).is_empty(),
            fields => fields::shown(lang, act, asked, typed, wrong),
            errors => fields::summary(lang, act, asked, typed, wrong),
            brings_files => fields::has(act, FILES),
            files => fields::files(typed).iter().map(|file| one_file(lang, file, files)).collect::<Value>(),
            kept_until => draft.map(|draft| moment(draft.expires_at)),
            draft => draft.map(|draft| draft.id.to_string()),
            switches => true,
            component_note => act == ActName::Progress,
        }
    }

    fn page(&self, page: &Page<'_>) -> Response {
        let status = if self.wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
        page.show(status, "form.html", Opener::Isolated, self.context(page.lang))
    }
}

/// The pages of a form with the current one, from the notices to the signature.
pub(crate) fn line(act: ActName, current: &str) -> Value {
    let names = steps::steps(act).iter().map(|step| step.name);
    let notices = (act == ActName::Apply).then_some("notices");
    let check = steps::files_a_case(act).then_some(CHECK);
    let names: Vec<_> = notices.into_iter().chain(names).chain(check).chain(["sign"]).collect();
    let place = names.iter().position(|name| *name == current).unwrap_or_default();
    let one = |(index, name): (usize, &&str)| context! { name => *name, done => index < place, now => index == place };
    names.iter().enumerate().map(one).collect()
}

/// Where the link back leads to, and the key of its words.
fn back(act: ActName, step: &Step, draft: Option<&StoredDraft>, about: &FormValues) -> Value {
    let place = steps::steps(act).iter().position(|one| one.name == step.name).unwrap_or_default();
    let before = place.checked_sub(1).and_then(|before| steps::steps(act).get(before));
    let (href, words) = match (before.zip(draft), act) {
        (Some((before, draft)), _) => (address(draft.id, before.name), format!("form-step-{}", before.name)),
        (None, ActName::Apply) => ("/apply".to_owned(), "form-step-notices".to_owned()),
        (None, _) if about::knows_company(about) => ("/organisation".to_owned(), "nav-own".to_owned()),
        (None, _) => ("/".to_owned(), "sitemap-home".to_owned()),
    };
    context! { href, words }
}

/// What a link may fill in: the company's number, and what nobody types. The rest comes from whoever made the link.
fn of_link(act: ActName, query: &FormValues) -> FormValues {
    let mut named = fields::identities(act);
    named.push(UBN.to_owned());
    query.iter().filter(|(name, text)| named.contains(name) && !text.is_empty()).cloned().collect()
}

/// The organisation's own page, while its session lasts.
async fn own(page: &Page<'_>) -> Option<Progress> {
    match page.own_token() {
        // Without it the form asks for what it would know.
        Some(token) => page.app.services.read_own.execute(token).await.ok().flatten(),
        None => None,
    }
}

/// The newest draft of this browser about the same thing as a link. One that was opened when the company could do less, or more, is
/// not gone on with.
async fn at_hand(
    page: &Page<'_>,
    act: ActName,
    link: &FormValues,
    opened: &Opened,
) -> poem::Result<Option<StoredDraft>> {
    let drafts = page.or_problem(page.app.services.drafts.all(page.session()).await, "/")?;
    let same = |draft: &StoredDraft| link.iter().all(|(name, text)| value(&draft.typed, name) == text);
    let as_now = |draft: &StoredDraft| {
        let may = |about: &FormValues| value(about, about::SANDBOX_ONLY).to_owned();
        !about::knows_company(&opened.about) || may(&draft.about) == may(&opened.about)
    };
    Ok(drafts.into_iter().find(|draft| draft.act == act && same(draft) && as_now(draft)))
}

/// A form that a link leads to: the draft that there is, one that the company's session opens, or an empty form that becomes a draft
/// when it is sent.
pub(crate) async fn start(
    page: &Page<'_>,
    request: &Request,
    act: ActName,
    query: &FormValues,
) -> poem::Result<Response> {
    let link = of_link(act, query);
    let [step, ..] = steps::steps(act) else { return Err(page.not_found("/")) };
    let goes_on = |id: Uuid| see_other(&with_lang(address(id, step.name), value(query, "lang")));
    let own = own(page).await;
    let opened = about::opened(act, link.clone(), own.as_ref());
    // A query of one's progress is begun anew.
    if act != ActName::Progress
        && let Some(draft) = at_hand(page, act, &link, &opened).await?
    {
        return Ok(goes_on(draft.id));
    }
    let Opened { typed, about } = opened;
    if page.is_known() && about::knows_company(&about) {
        let from = origin(request, &page.app.config.trusted_proxies).address;
        let opened = page.app.services.drafts.open(act, typed, about, page.session(), from).await;
        return Ok(goes_on(page.or_problem(opened, "/")?.id));
    }
    Ok(Shown { act, step, typed: &typed, about: &about, draft: None, wrong: &[], files: &[] }.page(page))
}

fn with_lang(address: String, lang: &str) -> String {
    match query_string([("lang", lang)]) {
        query if query.is_empty() => address,
        query => format!("{address}?{query}"),
    }
}

/// `GET /acts/:act`.
#[handler]
pub(crate) async fn act_form(
    page: Page<'_>,
    request: &Request,
    Path(act): Path<String>,
    Query(query): Query<FormValues>,
) -> poem::Result<Response> {
    let act = ActName::parse(&act).ok_or_else(|| page.not_found("/progress"))?;
    start(&page, request, act, &query).await
}

/// `POST /acts/:act`: the first page of a form becomes a draft.
#[handler]
pub(crate) async fn begin(
    page: Page<'_>,
    request: &Request,
    Path(act): Path<String>,
    posted: PostedFiles,
) -> poem::Result<Response> {
    let act = ActName::parse(&act).ok_or_else(|| page.not_found("/"))?;
    let [step, ..] = steps::steps(act) else { return Err(page.not_found("/")) };
    let own = own(&page).await;
    let Opened { mut typed, about } = about::opened(act, of_link(act, &posted.values), own.as_ref());
    let fate = Fate::of(&page, request, act, step, posted).await?;
    fate.put(&mut typed, act, |field| asks(step, &about, field));
    let from = origin(request, &page.app.config.trusted_proxies).address;
    let opened = page.app.services.drafts.open(act, typed, about, page.session(), from).await;
    let draft = page.or_problem(opened, "/")?;
    go_on(&page, request, &draft, step, &fate).await
}

/// The draft of this browser that a path names.
async fn held(page: &Page<'_>, id: &str) -> poem::Result<StoredDraft> {
    let id = Uuid::try_parse(id).map_err(|_| page.not_found("/"))?;
    page.or_problem(page.app.services.drafts.held(id, page.session()).await, "/")
}

/// `GET /drafts/:id/:step`.
#[handler]
pub(crate) async fn show(
    page: Page<'_>,
    Path((id, name)): Path<(String, String)>,
    Query(query): Query<FormValues>,
) -> poem::Result<Response> {
    let draft = held(&page, &id).await?;
    let told = !value(&query, "told").is_empty();
    if name == CHECK && steps::files_a_case(draft.act) {
        return Ok(check(&page, &draft, told, value(&query, "told") == SURE));
    }
    let step = steps::step(draft.act, &name).ok_or_else(|| page.not_found("/"))?;
    let files = files_kept(&page, &draft.typed).await?;
    let mut wrong = if told { violations(&page, draft.act, &draft.typed) } else { Vec::new() };
    if told {
        wrong.extend(files_wrong(&draft.typed, &files));
    }
    wrong.retain(|v| !v.pointer.starts_with("/consent"));
    if value(&query, "told") == LEAKED {
        wrong.retain(|v| v.pointer != PUBLIC_KEY);
        wrong.push(FieldViolation { pointer: PUBLIC_KEY.to_owned(), violation: Violation::PrivateKey });
    }
    let shown = Shown {
        act: draft.act,
        step,
        typed: &draft.typed,
        about: &draft.about,
        draft: Some(&draft),
        wrong: &[],
        files: &files,
    };
    let asked = |field: &str| shown.asks(field);
    // What is wrong on another page is told there.
    let here = fields::any_wrong(draft.act, asked, &wrong) || fields::nowhere(draft.act, &wrong);
    Ok(Shown { wrong: if here { &wrong } else { &[] }, ..shown }.page(&page))
}

/// Everything that was typed, before it is signed; the first page that is not right yet comes first.
fn check(page: &Page<'_>, draft: &StoredDraft, told: bool, sure_missing: bool) -> Response {
    let StoredDraft { act, typed, about, .. } = draft;
    let wrong = violations(page, *act, typed);
    if let Some(step) = first_wrong(*act, &wrong) {
        return see_other(&format!("{}?told=1", address(draft.id, step.name)));
    }
    let wrong = if told { wrong } else { Vec::new() };
    let right = wrong.is_empty() && !sure_missing;
    let status = if right { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let with = to_check(page.lang, draft, about, &wrong, sure_missing);
    page.show(status, "check.html", Opener::Isolated, with)
}

fn to_check(
    lang: Lang,
    draft: &StoredDraft,
    about: &FormValues,
    wrong: &[FieldViolation],
    sure_missing: bool,
) -> Value {
    let sure = sure_missing.then(|| context! { id => SURE, message => lang.t("sure-needed") });
    let StoredDraft { act, typed, .. } = draft;
    let groups = steps::steps(*act).iter().map(|step| {
        context! { step => step.name, fields => fields::shown(lang, *act, |field| asks(step, about, field), typed, &[]) }
    });
    let consent = |field: &str| field == CONSENT;
    let last = steps::steps(*act).last().map_or("form", |step| step.name);
    context! {
        act => act.as_str(),
        draft => draft.id.to_string(),
        steps => line(*act, CHECK),
        back => context! { href => address(draft.id, last), words => format!("form-step-{last}") },
        about => about::shown(about),
        groups => groups.collect::<Value>(),
        consent => fields::shown(lang, *act, consent, typed, wrong),
        errors => fields::summary(lang, *act, consent, typed, wrong).try_iter().into_iter().flatten().chain(sure).collect::<Value>(),
        sure_missing,
        kept_until => moment(draft.expires_at),
        switches => true,
    }
}

/// The first page of a form on which something is wrong.
fn first_wrong(act: ActName, wrong: &[FieldViolation]) -> Option<&'static Step> {
    steps::steps(act).iter().find(|step| fields::any_wrong(act, |field| step.asks(field), wrong))
}

/// Those of a form's files that are there.
async fn files_kept(page: &Page<'_>, typed: &FormValues) -> poem::Result<Vec<Attachment>> {
    let kept = page.app.services.attachments.waiting(&fields::files(typed), Some(page.session())).await;
    page.or_problem(kept, "/")
}

/// What is wrong with a form's files that their content does not tell: one was refused, or is gone.
fn files_wrong(typed: &FormValues, kept: &[Attachment]) -> Vec<FieldViolation> {
    let gone = |file: &FileReference| !kept.iter().any(|one| one.reference == *file);
    let gone = fields::files(typed).into_iter().zip(0..).filter(|(file, _)| gone(file)).map(|(_, place)| {
        FieldViolation { pointer: format!("{FILES}/{place}"), violation: Violation::FileUnknown }
    });
    fields::refused(typed).into_iter().chain(gone).collect()
}

/// Told where a private key was sent: it is kept nowhere and not sent around once more.
const LEAKED: &str = "leaked";

/// What was sent from a page, and what is to become of it.
struct Fate {
    /// As it is understood; without a key that is private.
    posted: FormValues,
    leaked: bool,
    /// The files that came, as they were kept, and the one that was refused.
    files: FormValues,
    /// The file that is not wanted any more.
    unwanted: Option<FileReference>,
    /// Why a file was not kept that is nobody's fault here; told once the text is kept.
    failed: Option<FileRefusal>,
}

impl Fate {
    async fn of(
        page: &Page<'_>,
        request: &Request,
        act: ActName,
        step: &Step,
        sent: PostedFiles,
    ) -> poem::Result<Self> {
        let mut posted = fields::understood(act, &sent.values);
        let private = |v: &FieldViolation| v.violation == Violation::PrivateKey;
        let leaked = step.asks(PUBLIC_KEY)
            && fields::has(act, PUBLIC_KEY)
            && violations(page, act, &posted).iter().any(private);
        if leaked {
            posted.retain(|(name, _)| name != PUBLIC_KEY);
        }
        if let Some(row) = value(&posted, GO).strip_prefix("remove-").and_then(|row| row.parse().ok()) {
            let mut rows = 0_usize..;
            posted.retain(|(name, _)| name != fields::HOSTS || rows.next() != Some(row));
        }
        let unwanted =
            value(&posted, GO).strip_prefix(UNWANTED).and_then(|text| FileReference::parse(text).ok());
        if let Some(file) = unwanted {
            let discarded = page.app.services.attachments.discard(file, Some(page.session())).await;
            page.or_problem(discarded, "/")?;
        }
        let sent = if fields::has(act, FILES) { sent.files } else { Vec::new() };
        let (files, failed) = keep_files(page, request, sent).await;
        Ok(Self { posted, leaked, files, unwanted, failed })
    }

    /// Puts what was sent from a page of the form where its fields are; files are added to those that are there.
    fn put(&self, typed: &mut FormValues, act: ActName, asked: impl Fn(&str) -> bool) {
        let unwanted = self.unwanted.map(|file| file.to_string());
        typed.retain(|(name, text)| match name.as_str() {
            FILES => Some(text) != unwanted.as_ref(),
            REFUSED_FILE => false,
            name => !asked(name),
        });
        let from_page = |name: &str| name != FILES && asked(name) && fields::has(act, name);
        typed.extend(self.posted.iter().filter(|(name, _)| from_page(name)).cloned());
        typed.extend(self.files.iter().cloned());
    }
}

/// Keeps the files that came with a form: the reference of each, up to the first that is refused.
async fn keep_files(
    page: &Page<'_>,
    request: &Request,
    files: Vec<PostedFile>,
) -> (FormValues, Option<FileRefusal>) {
    let from = origin(request, &page.app.config.trusted_proxies).address;
    let mut entries = Vec::new();
    for PostedFile { name, bytes } in files {
        match page.app.services.attachments.keep(&name, &bytes, Some(page.session()), from).await {
            Ok(kept) => entries.push((FILES.to_owned(), kept.reference.to_string())),
            Err(FileRefusal::Content(wrong)) => {
                let code = wrong.first().map_or("file-type-refused", |wrong| wrong.violation.code());
                let name: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
                entries.push((REFUSED_FILE.to_owned(), format!("{code} {name}")));
                break;
            }
            Err(refusal) => return (entries, Some(refusal)),
        }
    }
    (entries, None)
}

/// What the button of a file begins with, before the file's reference.
const UNWANTED: &str = "discard-";

/// `POST /drafts/:id/:step`: keeps what was typed and goes on.
#[handler]
pub(crate) async fn save(
    page: Page<'_>,
    request: &Request,
    Path((id, name)): Path<(String, String)>,
    posted: PostedFiles,
) -> poem::Result<Response> {
    let draft = held(&page, &id).await?;
    let step = steps::step(draft.act, &name).ok_or_else(|| page.not_found("/"))?;
    let (draft, fate) = kept(&page, request, draft, step, posted).await?;
    go_on(&page, request, &draft, step, &fate).await
}

/// Keeps what was sent from a page of the form.
async fn kept(
    page: &Page<'_>,
    request: &Request,
    draft: StoredDraft,
    step: &Step,
    posted: PostedFiles,
) -> poem::Result<(StoredDraft, Fate)> {
    let fate = Fate::of(page, request, draft.act, step, posted).await?;
    let asked = |field: &str| asks(step, &draft.about, field);
    let edit = |typed: &mut FormValues| fate.put(typed, draft.act, asked);
    let kept = page.app.services.drafts.change(draft.id, page.session(), edit).await;
    Ok((page.or_problem(kept, "/")?, fate))
}

/// The language that was asked for.
fn language(posted: &FormValues) -> Option<&str> {
    value(posted, GO).strip_prefix("lang-")
}

/// Where a page leads to once it is kept: to itself, to the first thing that is wrong, to the next page, or to the signature.
async fn go_on(
    page: &Page<'_>,
    request: &Request,
    draft: &StoredDraft,
    step: &Step,
    fate: &Fate,
) -> poem::Result<Response> {
    let here = address(draft.id, step.name);
    if let Some(refusal) = fate.failed.clone() {
        return page.or_problem(Err(refusal), &here);
    }
    let go = value(&fate.posted, GO);
    if go == "keep" {
        // A page that is left keeps what is in it; its script learns where.
        return Ok(Response::builder()
            .status(StatusCode::NO_CONTENT)
            .header(header::CONTENT_LOCATION, here)
            .finish());
    }
    if fate.leaked {
        return Ok(see_other(&format!("{here}?told={LEAKED}")));
    }
    if let Some(lang) = language(&fate.posted) {
        return Ok(see_other(&with_lang(here, lang)));
    }
    if go == "add" || go.starts_with("remove-") {
        return Ok(see_other(&format!("{here}#hosts")));
    }
    let mut wrong = violations(page, draft.act, &draft.typed);
    wrong.extend(files_wrong(&draft.typed, &files_kept(page, &draft.typed).await?));
    let refused = fields::refused(&draft.typed).is_some();
    if !refused && (go == "attach" || fate.unwanted.is_some()) {
        return Ok(see_other(&format!("{here}#{}", fields::label(FILES))));
    }
    if fields::any_wrong(draft.act, |field| step.asks(field), &wrong) || fields::nowhere(draft.act, &wrong) {
        return Ok(see_other(&format!("{here}?told=1")));
    }
    if !steps::files_a_case(draft.act) {
        return issue(page, request, draft, &wrong).await;
    }
    // Whoever changed one thing comes back to where it is checked.
    let next = steps::after(draft.act, step).filter(|_| first_wrong(draft.act, &wrong).is_some());
    Ok(see_other(&address(draft.id, next.map_or(CHECK, |next| next.name))))
}

/// `POST /drafts/:id/sign`: takes the consent, or what the only page of a form asks for, and issues the challenge.
#[handler]
pub(crate) async fn sign(
    page: Page<'_>,
    request: &Request,
    Path(id): Path<String>,
    posted: PostedFiles,
) -> poem::Result<Response> {
    let draft = held(&page, &id).await?;
    if !steps::files_a_case(draft.act) {
        let [step, ..] = steps::steps(draft.act) else { return Err(page.not_found("/")) };
        let (draft, fate) = kept(&page, request, draft, step, posted).await?;
        return go_on(&page, request, &draft, step, &fate).await;
    }
    let posted = posted.values;
    let edit = |typed: &mut FormValues| {
        typed.retain(|(name, _)| name != CONSENT);
        typed.extend(posted.iter().filter(|(name, _)| name == CONSENT).cloned());
    };
    let kept = page.app.services.drafts.change(draft.id, page.session(), edit).await;
    let draft = page.or_problem(kept, "/")?;
    if let Some(lang) = language(&posted) {
        return Ok(see_other(&with_lang(address(draft.id, CHECK), lang)));
    }
    let wrong = violations(&page, draft.act, &draft.typed);
    // What takes effect for every program at once is asked for twice.
    if draft.act == ActName::Suspend && wrong.is_empty() && value(&posted, SURE).is_empty() {
        return Ok(see_other(&format!("{}?told={SURE}", address(draft.id, CHECK))));
    }
    issue(&page, request, &draft, &wrong).await
}

/// Issues the challenge for a draft that is right; else leads to what is wrong.
async fn issue(
    page: &Page<'_>,
    request: &Request,
    draft: &StoredDraft,
    wrong: &[FieldViolation],
) -> poem::Result<Response> {
    let ubn = match fields::ubn(&draft.typed) {
        Ok(ubn) if wrong.is_empty() => ubn,
        _ => {
            let step = first_wrong(draft.act, wrong).map_or(CHECK, |step| step.name);
            return Ok(see_other(&format!("{}?told=1", address(draft.id, step))));
        }
    };
    let services = &page.app.services;
    let from = origin(request, &page.app.config.trusted_proxies).address;
    let content = fields::content(draft.act, &draft.typed);
    let issued = services.issue_challenge.execute(draft.act, ubn, content, Some(page.session()), from).await;
    let issued = page.or_problem(issued, "/")?;
    let noted = services.drafts.signs(draft.id, page.session(), issued.id).await;
    page.or_problem(noted, "/")?;
    Ok(see_other(&format!("/sign/{}", issued.id)))
}

/// Where the draft of a challenge is gone on with: where everything is shown, or at its only page. What was signed for longer than a
/// draft is kept is had back from the challenge.
pub(crate) async fn of_challenge(
    page: &Page<'_>,
    request: &Request,
    challenge: Uuid,
    held: &idcheck_usecases::acts::HeldChallenge,
) -> poem::Result<(StoredDraft, String)> {
    let drafts = &page.app.services.drafts;
    let found = page.or_problem(drafts.of_challenge(challenge, page.session()).await, "/")?;
    let draft = if let Some(draft) = found {
        draft
    } else {
        let typed = fields::typed(held.act, held.ubn, &held.content);
        let from = origin(request, &page.app.config.trusted_proxies).address;
        let opened = drafts.open(held.act, typed, Vec::new(), page.session(), from).await;
        let draft = page.or_problem(opened, "/")?;
        page.or_problem(drafts.signs(draft.id, page.session(), challenge).await, "/")?;
        draft
    };
    let step = match steps::steps(draft.act) {
        [only] if !steps::files_a_case(draft.act) => only.name,
        _ => CHECK,
    };
    let address = address(draft.id, step);
    Ok((draft, address))
}

/// `POST /drafts/:id/discard`: begins anew.
#[handler]
pub(crate) async fn discard(page: Page<'_>, Path(id): Path<String>, _: PostedForm) -> poem::Result<Response> {
    let draft = held(&page, &id).await?;
    let draft = page.or_problem(page.app.services.drafts.discard(draft.id, page.session()).await, "/")?;
    let link: Vec<_> = of_link(draft.act, &draft.typed);
    let query = query_string(link.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    Ok(see_other(&format!("/acts/{}?{query}", draft.act.as_str())))
}

/// Pages of a form in every state, for the tests of their words.
#[cfg(test)]
pub(crate) fn rendered(lang: Lang, act: ActName, typed: &FormValues, shared: &Value) {
    use chrono::DateTime;

    use crate::kernel::view;
    let about: FormValues = ["company", UBN, "caseNumber", "question", "message", "keyLabel", "fingerprint"]
        .map(|name| (name.to_owned(), "x".to_owned()))
        .into_iter()
        .chain([("kind".to_owned(), "apply".to_owned()), ("rule".to_owned(), "replays".to_owned())])
        .collect();
    let draft = StoredDraft {
        id: Uuid::nil(),
        session: [0; 32],
        act,
        typed: typed.clone(),
        about: about.clone(),
        challenge: None,
        version: 1,
        expires_at: DateTime::UNIX_EPOCH,
    };
    let (nothing, all) = (Vec::new(), fields::all_wrong(act));
    for step in steps::steps(act) {
        for (draft, about) in [(None, &nothing), (Some(&draft), &about)] {
            for wrong in [&Vec::new(), &all] {
                let shown = Shown { act, step, typed, about, draft, wrong, files: &[] };
                let asked = |field: &str| shown.asks(field);
                let expected =
                    wrong.iter().filter(|v| fields::any_wrong(act, asked, std::slice::from_ref(v))).count();
                let with = context! { ..shown.context(lang), ..shared.clone() };
                let page = view::render("form.html", lang, "n", with).unwrap();
                assert_eq!(page.matches("<li><a href=\"#").count(), expected, "{act:?} {}", step.name);
            }
        }
    }
    for wrong in [&nothing_wrong(), &all] {
        let with =
            context! { ..to_check(lang, &draft, &about, wrong, act == ActName::Suspend), ..shared.clone() };
        view::render("check.html", lang, "n", with).unwrap();
    }
}

#[cfg(test)]
fn nothing_wrong() -> Vec<FieldViolation> {
    Vec::new()
}
