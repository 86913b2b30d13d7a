//! What a case would change of what its organisation holds, for page and API.

use chrono::{DateTime, Utc};
use idcheck_domain::{
    application::{Application, Request},
    contact::Contact,
    organisation::Organisation,
    value::{HostAddresses, Landline, Mobile},
};
use idcheck_usecases::application::CaseFile;

use crate::kernel::i18n::Lang;

/// A field that a case would change.
pub(crate) struct Difference {
    /// As in the content of the act.
    pub(crate) pointer: &'static str,
    /// The key of its name.
    pub(crate) name: &'static str,
    pub(crate) is: String,
    pub(crate) asked: String,
}

fn difference(pointer: &'static str, name: &'static str, (is, asked): (String, String)) -> Difference {
    Difference { pointer, name, is, asked }
}

fn addresses(set: &HostAddresses) -> String {
    let mut addresses: Vec<_> = set.as_slice().iter().map(ToString::to_string).collect();
    addresses.sort_unstable();
    addresses.join("\n")
}

fn contacts(now: &Contact, asked: &Contact) -> [Difference; 4] {
    let landline =
        |contact: &Contact| contact.landline().map_or(String::new(), |l: &Landline| l.as_str().to_owned());
    let mobile =
        |contact: &Contact| contact.mobile().map_or(String::new(), |m: &Mobile| m.as_str().to_owned());
    let email = |contact: &Contact| contact.email().as_str().to_owned();
    let name = |contact: &Contact| contact.name().as_str().to_owned();
    [
        difference("/contact/name", "field-contact-name", (name(now), name(asked))),
        difference("/contact/landline", "field-contact-landline", (landline(now), landline(asked))),
        difference("/contact/mobile", "field-contact-mobile", (mobile(now), mobile(asked))),
        difference("/contact/email", "field-contact-email", (email(now), email(asked))),
    ]
}

/// What the case would change; `None` where there is nothing to compare with: the organisation never held access.
pub(crate) fn differences(lang: Lang, file: &CaseFile, now: DateTime<Utc>) -> Option<Vec<Difference>> {
    let organisation = file.organisation.as_ref().filter(|organisation| organisation.account.is_some())?;
    Some(changes(lang, &file.application, organisation, now))
}

fn changes(
    lang: Lang,
    case: &Application,
    organisation: &Organisation,
    now: DateTime<Utc>,
) -> Vec<Difference> {
    let names = (organisation.name.as_str().to_owned(), case.company_name.as_str().to_owned());
    let mut all = vec![difference("/companyName", "field-companyName", names)];
    all.extend(contacts(&organisation.contact, &case.contact));
    if let (Some(plan), Request::Apply { .. } | Request::ChangeAddress { .. }) =
        (&organisation.addresses, &case.request)
    {
        let both = (addresses(plan.shown(now)), addresses(&case.host_addresses));
        all.push(difference("/hostAddresses", "field-hostAddresses", both));
    }
    if let (Some(held), Request::Apply { purpose, .. }) = (&organisation.purpose, &case.request) {
        all.push(difference("/purpose", "case-purpose", (lang.purpose(held), lang.purpose(purpose))));
    }
    all.retain(|one| one.is != one.asked);
    all
}
