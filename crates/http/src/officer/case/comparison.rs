//! What a case would change, beside what the organisation's data are now.

use chrono::{DateTime, Utc};
use idcheck_domain::{
    application::{Application, Request},
    contact::Contact,
    organisation::Organisation,
    value::{HostAddresses, Landline, Mobile},
};
use minijinja::{Value, context};

/// A field that differs: the key of its name, as it is, as the case has it.
type Difference = (&'static str, String, String);

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
        ("field-contact-name", name(now), name(asked)),
        ("field-contact-landline", landline(now), landline(asked)),
        ("field-contact-mobile", mobile(now), mobile(asked)),
        ("field-contact-email", email(now), email(asked)),
    ]
}

/// What the case would change; nothing for an organisation that never held access.
fn differences(case: &Application, organisation: &Organisation, now: DateTime<Utc>) -> Vec<Difference> {
    let text = |text: &str| text.to_owned();
    let mut all =
        vec![("field-companyName", text(organisation.name.as_str()), text(case.company_name.as_str()))];
    all.extend(contacts(&organisation.contact, &case.contact));
    if let (Some(plan), Request::Apply { .. } | Request::ChangeAddress { .. }) =
        (&organisation.addresses, &case.request)
    {
        all.push(("field-hostAddresses", addresses(plan.shown(now)), addresses(&case.host_addresses)));
    }
    if let (Some(held), Request::Apply { purpose, .. }) = (&organisation.purpose, &case.request) {
        all.push(("case-purpose", held.joined(), purpose.joined()));
    }
    all.retain(|(_, is, asked)| is != asked);
    all
}

/// The differences as the template takes them; `None` where there is nothing to compare with.
pub(super) fn of(
    case: &Application,
    organisation: Option<&Organisation>,
    now: DateTime<Utc>,
) -> Option<Value> {
    let organisation = organisation.filter(|organisation| organisation.account.is_some())?;
    let rows = differences(case, organisation, now).into_iter();
    Some(rows.map(|(field, is, asked)| context! { field, is, asked }).collect())
}
