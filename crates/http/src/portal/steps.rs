//! The steps in which a form asks for its fields, one group a page.

use idcheck_usecases::acts::ActName;

use crate::portal::fields::{CONSENT, HOSTS, UBN};

/// A page of a form.
pub(crate) struct Step {
    /// Its name: in the address, and in the keys of its texts.
    pub(crate) name: &'static str,
    /// How the names of its fields begin.
    fields: &'static [&'static str],
}

impl Step {
    /// Whether a field is asked for here.
    pub(crate) fn asks(&self, field: &str) -> bool {
        field != CONSENT && self.fields.iter().any(|beginning| field.starts_with(beginning))
    }
}

const CONTACT: Step = Step { name: "contact", fields: &["/contact/"] };

const APPLY: [Step; 4] = [
    Step { name: "company", fields: &["/companyName", UBN, "/formerUnifiedBusinessNumber"] },
    CONTACT,
    Step { name: "hosts", fields: &[HOSTS] },
    Step { name: "purpose", fields: &["/purpose/"] },
];
const CHANGE_ADDRESS: [Step; 2] =
    [Step { name: "hosts", fields: &[UBN, HOSTS, "/cutOverAt", "/overlapDays", "/reason"] }, CONTACT];
const SUSPEND: [Step; 2] = [Step { name: "reason", fields: &[UBN, "/reason"] }, CONTACT];
/// Everything on one page.
const ONE: [Step; 1] = [Step { name: "form", fields: &[""] }];

/// The page that shows everything before it is signed, and takes the consent.
pub(crate) const CHECK: &str = "check";

/// The steps of an act's form.
pub(crate) const fn steps(act: ActName) -> &'static [Step] {
    match act {
        ActName::Apply => &APPLY,
        ActName::ChangeAddress => &CHANGE_ADDRESS,
        ActName::Suspend => &SUSPEND,
        _ => &ONE,
    }
}

/// Whether the act files a case, which is shown for checking before it is signed.
pub(crate) const fn files_a_case(act: ActName) -> bool {
    matches!(act, ActName::Apply | ActName::ChangeAddress | ActName::Suspend)
}

/// The step of this name.
pub(crate) fn step(act: ActName, name: &str) -> Option<&'static Step> {
    steps(act).iter().find(|step| step.name == name)
}

/// The step after this one; none after the last.
pub(crate) fn after(act: ActName, step: &Step) -> Option<&'static Step> {
    let place = steps(act).iter().position(|one| one.name == step.name)?;
    steps(act).get(place + 1)
}
