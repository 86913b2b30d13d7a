//! Values that can't be wrong: parsed once, at the edge; the error names the broken rule.
//!
//! Types that hold personal data or secrets print nothing of it in `Debug` and have no `Display`.

mod account;
mod case_number;
mod codes;
mod email;
mod host_address;
mod iss_key;
mod person_id;
mod phone;
mod purpose;
mod roc_date;
mod text;
mod ubn;

pub use account::Account;
pub use case_number::CaseNumber;
pub use codes::{ApplyCode, IssueSite};
pub use email::EmailAddress;
pub use host_address::{AddressPolicy, HostAddress, HostAddresses};
pub use iss_key::IssKey;
pub use person_id::PersonId;
pub use phone::{Landline, Mobile};
pub use purpose::Purpose;
pub use roc_date::RocDate;
pub use text::{
    Authority, CompanyName, ContactName, Description, FileName, KeyLabel, Narrative, PasskeyName, Reason,
    Rule, TemplateTitle, private_use,
};
pub use ubn::UnifiedBusinessNumber;
