//! Asking for other host addresses (更改連線主機網路位址, 注意事項 七).

use chrono::{DateTime, Utc};
use idcheck_domain::{
    Violation,
    application::{MAX_OVERLAP_DAYS, Request},
    consent::Consent,
    contact::Contact,
    value::{HostAddresses, Reason},
};

use crate::{
    acts::{
        filing::CaseContent,
        prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
        schema::{Group, Member, Reading, Shape, content},
    },
    kernel::content::Fields,
};

/// When the new addresses take over.
#[derive(Debug)]
struct CutOver(DateTime<Utc>);

impl Member for CutOver {
    const SHAPE: Shape = Shape::Instant;

    fn read(fields: &mut Fields<'_>, at: &str, with: &Reading<'_>) -> Option<Self> {
        fields.required(at, |text| {
            let time = DateTime::parse_from_rfc3339(text).map_err(|_| Violation::TimeFormat)?.to_utc();
            Request::admits_cut_over(time, with.now).map(|()| Self(time))
        })
    }
}

/// How many days the old addresses stay valid.
#[derive(Debug)]
struct OverlapDays(u8);

impl Member for OverlapDays {
    const SHAPE: Shape = Shape::Integer { min: 0, max: MAX_OVERLAP_DAYS as i64 };

    fn read(fields: &mut Fields<'_>, at: &str, _: &Reading<'_>) -> Option<Self> {
        let days = fields.integer(at)?;
        let days = u8::try_from(days).ok().filter(|days| *days <= MAX_OVERLAP_DAYS);
        fields.check(at, days.map(Self).ok_or(Violation::OverlapDays))
    }
}

content! {
    /// A change of host addresses (注意事項 七).
    struct Members as "ChangeAddressContent" {
        host_addresses as "hostAddresses": HostAddresses,
        reason as "reason": Reason,
        /// When the new addresses take over; at the decision when absent.
        cut_over as "cutOverAt": Option<CutOver>,
        /// Days in which old and new addresses are both valid, 0 to 7.
        overlap as "overlapDays": Option<OverlapDays>,
        contact as "contact": Option<Contact>,
        consent as "consent": Consent,
    }
}

pub(crate) struct ChangeAddress(CaseContent);

impl ChangeAddress {
    pub(crate) const GROUP: Group = Members::GROUP;

    /// An overlap needs a cut-over.
    pub(crate) fn read(fields: &mut Fields<'_>, at: &str, with: &Reading<'_>) -> Option<Self> {
        let Members { host_addresses, reason, cut_over, overlap, contact, consent } =
            Members::read(fields, at, with)?;
        let overlap = overlap.map_or(0, |days| days.0);
        let request = Request::change_address(reason, cut_over.map(|time| time.0), overlap, with.now);
        let request = fields.check(&format!("{at}/overlapDays"), request)?;
        let host_addresses = Some(host_addresses);
        Some(Self(CaseContent { request, company_name: None, host_addresses, contact, consent }))
    }

    pub(crate) async fn perform(
        &self,
        by: &ProveChallenge,
        signed: &Signed,
    ) -> Result<ActResult, ProofRefusal> {
        by.file(signed, &self.0).await
    }
}
