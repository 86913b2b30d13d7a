//! Files on pages: their lists beside what they belong to, and the download.

use idcheck_domain::attachment::{Attachment, AttachmentId, Owner};
use minijinja::{Value, context};
use poem::{Response, Route, get, handler, web::Path};
use uuid::Uuid;

use crate::{
    attachment::download,
    kernel::{officer_page::OfficerPage, page::Page},
};

pub(crate) fn routes(route: Route) -> Route {
    route.at("/officer/attachments/:id", get(officers)).at("/organisation/attachments/:id", get(own))
}

/// By what a template finds the files of an answer or an explanation.
fn key(owner: Owner) -> String {
    match owner {
        Owner::Clarification(id) => id.to_string(),
        Owner::Explanation { notice, sending } => format!("{notice}/{sending}"),
    }
}

/// A size for people: KiB below one MiB, else MiB with one digit.
fn size(bytes: usize) -> String {
    const MIB: usize = 1 << 20;
    if bytes < MIB {
        format!("{} KiB", bytes.div_ceil(1024).max(1))
    } else {
        format!("{}.{} MiB", bytes / MIB, bytes % MIB * 10 / MIB)
    }
}

/// One file for a template.
pub(crate) fn shown(file: &Attachment) -> Value {
    context! {
        id => file.reference.id.to_string(),
        reference => file.reference.to_string(),
        name => file.name.as_str(),
        kind => file.file_type.extension().to_ascii_uppercase(),
        size => size(file.size),
        sha256 => hex::encode(file.reference.digest),
    }
}

/// The files of each of these owners, for templates.
pub(crate) async fn listed(page: &Page<'_>, owners: &[Owner], home: &str) -> poem::Result<Value> {
    let found = page.or_problem(page.app.services.attachments.of_owners(owners).await, home)?;
    let of = |owner: &Owner| {
        found.iter().filter(|(of, _)| of == owner).map(|(_, file)| shown(file)).collect::<Value>()
    };
    let there = owners.iter().filter(|owner| found.iter().any(|(of, _)| of == *owner));
    Ok(Value::from_pairs(there.map(|owner| (key(*owner), of(owner)))))
}

/// `GET /officer/attachments/:id`: a file for an officer.
#[handler]
async fn officers(page: OfficerPage<'_>, Path(id): Path<String>) -> poem::Result<Response> {
    let id = Uuid::try_parse(&id).map_err(|_| page.not_found("/officer"))?;
    let file = page.app.services.attachments.read(&page.officer, AttachmentId(id)).await;
    Ok(download(page.or_problem(file, "/officer")?))
}

/// `GET /organisation/attachments/:id`: a file for the organisation that sent it, while its session lasts.
#[handler]
async fn own(page: Page<'_>, Path(id): Path<String>) -> poem::Result<Response> {
    let progress = crate::portal::own(&page).await?;
    let id = Uuid::try_parse(&id).map_err(|_| page.not_found("/organisation"))?;
    let file = page.app.services.attachments.read_own(progress.ubn, AttachmentId(id)).await;
    Ok(download(page.or_problem(file, "/organisation")?))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_size_is_told_in_what_people_know() {
        for (bytes, expected) in [
            (1, "1 KiB"),
            (1025, "2 KiB"),
            ((1 << 20) - 1, "1024 KiB"),
            (1 << 20, "1.0 MiB"),
            (5 << 20, "5.0 MiB"),
            (3 * (1 << 19), "1.5 MiB"),
        ] {
            assert_eq!(super::size(bytes), expected);
        }
    }
}
