//! `/demo`, where the program runs as a demonstration: a tour, the cards with their PINs, the officers with the code of this moment, and
//! the mails. Elsewhere there is no such page.

use std::sync::Arc;

use minijinja::{Value, context};
use poem::{Response, Route, get, handler, http::StatusCode, web::Path};

use crate::kernel::{
    desk::{DemoCard, DemoDesk, DemoMail, DemoOfficer},
    page::{Opener, Page},
    view::moment,
};

pub(crate) fn routes(route: Route) -> Route {
    route.at("/demo", get(show_tour)).at("/demo/mails/:id", get(show_mail))
}

fn desk(page: &Page<'_>) -> poem::Result<Arc<dyn DemoDesk>> {
    page.app.services.demo.clone().ok_or_else(|| page.not_found("/"))
}

fn mail_value(mail: &DemoMail) -> Value {
    context! { id => &mail.id, to => &mail.to, subject => &mail.subject, at => mail.at.map(moment), text => &mail.text }
}

#[handler]
fn show_tour(page: Page<'_>) -> poem::Result<Response> {
    let desk = desk(&page)?;
    let card = |card: &DemoCard| {
        context! { slot => &card.slot, holder => &card.holder, number => &card.number, state => &card.state, pin => &card.pin }
    };
    let officer = |officer: &DemoOfficer| {
        context! {
            username => &officer.username, role => &officer.role, password => &officer.password, code => &officer.code,
        }
    };
    let with = context! {
        cards => desk.cards().iter().map(card).collect::<Value>(),
        officers => desk.officers().iter().map(officer).collect::<Value>(),
        mails => desk.mails().iter().map(mail_value).collect::<Value>(),
    };
    Ok(page.show(StatusCode::OK, "demo.html", Opener::Isolated, with))
}

#[handler]
fn show_mail(page: Page<'_>, Path(id): Path<String>) -> poem::Result<Response> {
    let mails = desk(&page)?.mails();
    let mail = mails.iter().find(|mail| mail.id == id).ok_or_else(|| page.not_found("/demo"))?;
    Ok(page.show(StatusCode::OK, "demo-mail.html", Opener::Isolated, context! { mail => mail_value(mail) }))
}
