//! Applying for access (API申請).

use idcheck_domain::{
    Violation,
    application::Request,
    consent::Consent,
    contact::Contact,
    value::{CompanyName, HostAddresses, Purpose, UnifiedBusinessNumber},
};

use crate::{
    acts::{
        filing::CaseContent,
        prove::{ActResult, ProofRefusal, ProveChallenge, Signed},
        schema::{Member, Reading, Shape, content},
    },
    kernel::content::Fields,
};

/// The number that a company had before: another than the one that applies.
#[derive(Debug)]
struct FormerNumber(UnifiedBusinessNumber);

impl Member for FormerNumber {
    const SHAPE: Shape = Shape::BusinessNumber;

    fn read(fields: &mut Fields<'_>, at: &str, with: &Reading<'_>) -> Option<Self> {
        fields.required(at, |text| match UnifiedBusinessNumber::parse(text)? {
            former if former == with.ubn => Err(Violation::FormerUbnSame),
            former => Ok(Self(former)),
        })
    }
}

content! {
    /// An application for access.
    pub(crate) struct Apply as "ApplyContent" {
        company_name as "companyName": CompanyName,
        /// 1 to 10 public IPv4 or IPv6 addresses.
        host_addresses as "hostAddresses": HostAddresses,
        contact as "contact": Contact,
        purpose as "purpose": Purpose,
        /// The number before a change of number (注意事項 八(三)).
        former as "formerUnifiedBusinessNumber": Option<FormerNumber>,
        consent as "consent": Consent,
    }
}

impl Apply {
    pub(crate) async fn perform(
        &self,
        by: &ProveChallenge,
        signed: &Signed,
    ) -> Result<ActResult, ProofRefusal> {
        let former_ubn = self.former.as_ref().map(|former| former.0);
        let content = CaseContent {
            request: Request::Apply { purpose: self.purpose.clone(), former_ubn },
            company_name: Some(self.company_name.clone()),
            host_addresses: Some(self.host_addresses.clone()),
            contact: Some(self.contact.clone()),
            consent: self.consent.clone(),
        };
        by.file(signed, &content).await
    }
}
