//! Whether anything on a path is revoked, from the CRLs (RFC 5280 §6.3) and OCSP answers (RFC 6960) at hand.
//!
//! One source that says "revoked" is enough to refuse. Who can't be cleared is refused too: without a current list that covers the certificate for every reason the answer is
//! one of the retryable refusals. Complete and sharded lists count. Delta lists clear nobody, but whom they list is
//! refused; indirect ones are named and not used.
//! Only configured certificates can vouch for a list, never ones that a message brought along.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use der::{Encode, Tag};
use x509_cert::ext::pkix::crl::dp::{DistributionPoint, IssuingDistributionPoint};
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName, GeneralNames};

use crate::Refusal;
use crate::asn1::{Malformed, single};
use crate::certificate::Certificate;
use crate::crl::{Crl, CrlStore};
use crate::name::DistinguishedName;
use crate::ocsp::{OcspAnswers, Status};
use crate::path::{self, PathRules};
use crate::trust::TrustStore;

/// How far the question "is the list's signer revoked?" is followed.
const MAX_DEPTH: u8 = 3;
/// keyCompromise to aACompromise; bit 0 is unused (RFC 5280 §4.2.1.13).
const ALL_REASONS: u16 = 0b1_1111_1110;

/// Everything a status is found with.
#[derive(Clone, Copy)]
pub struct StatusCheck<'a> {
    /// The lists at hand.
    pub crls: &'a CrlStore,
    /// The OCSP answers at hand.
    pub ocsp: &'a OcspAnswers,
    /// Who may sign lists, besides the issuers themselves.
    pub trust: &'a TrustStore,
    /// Rules for the paths of such signers.
    pub rules: &'a PathRules,
    /// The time that lists must be current at.
    pub now: DateTime<Utc>,
}

/// Who can vouch for a list about one certificate.
#[derive(Clone, Copy)]
struct Vouchers<'a> {
    /// The path above it: its issuer first.
    above: &'a [Arc<Certificate>],
    anchor: &'a Certificate,
    /// The signer of a list whose own status is being asked: its lists speak about itself too, as those of a key that
    /// took over do.
    presumed: Option<&'a Certificate>,
    depth: u8,
}

impl StatusCheck<'_> {
    /// Checks every certificate of a validated path but the anchor.
    ///
    /// # Errors
    /// [`Refusal::Revoked`] and [`Refusal::IssuerRevoked`] before any retryable reason.
    pub fn check_path(&self, path: &path::Path) -> Result<(), Refusal> {
        self.check_path_within(path, MAX_DEPTH, None)
    }

    fn check_path_within(
        &self,
        path: &path::Path,
        depth: u8,
        presumed: Option<&Certificate>,
    ) -> Result<(), Refusal> {
        let depth = depth.checked_sub(1).ok_or(Refusal::RevocationUnknown)?;
        let Some(anchor) = path.last() else { return Err(Refusal::RevocationUnknown) };
        let mut outcome = Ok(());
        for (index, certificate) in path.iter().enumerate().take(path.len() - 1) {
            let vouchers = Vouchers { above: &path[index + 1..], anchor, presumed, depth };
            match self.check(certificate, vouchers) {
                Err(Refusal::Revoked) if index == 0 => return Err(Refusal::Revoked),
                Err(Refusal::Revoked) => outcome = Err(Refusal::IssuerRevoked),
                Err(reason) if outcome.is_ok() => outcome = Err(reason),
                _ => {}
            }
        }
        outcome
    }

    /// RFC 5280 §6.3.3 for one certificate.
    fn check(&self, certificate: &Certificate, vouchers: Vouchers<'_>) -> Result<(), Refusal> {
        if self.is_listed(certificate, vouchers) {
            return Err(Refusal::Revoked);
        }
        let answer =
            vouchers.above.first().and_then(|issuer| self.ocsp.status(certificate, issuer, self.now));
        match answer {
            Some(Status::Revoked) => return Err(Refusal::Revoked),
            Some(Status::Good) => return Ok(()),
            None => {}
        }
        let mut covered = 0;
        let mut refusal = Refusal::RevocationUnknown;
        // The point without a name is the issuer's complete list (RFC 5280 §6.3.3, last paragraph).
        let whole = DistributionPoint { distribution_point: None, reasons: None, crl_issuer: None };
        let points = certificate.extensions().crl_distribution_points.iter().flatten();
        for point in points.chain([&whole]) {
            if names_another_issuer(point, certificate.issuer()) {
                refusal = worse(refusal, Refusal::IndirectCrl);
                continue;
            }
            for crl in self.crls.of_issuer(certificate.issuer()) {
                match self.usable(crl, certificate, point) {
                    Ok(reasons) if reasons & !covered != 0 && self.is_signed_by(crl, vouchers) => {
                        covered |= reasons;
                    }
                    Ok(_) => {}
                    Err(reason) => refusal = worse(refusal, reason),
                }
                if covered == ALL_REASONS {
                    return Ok(());
                }
            }
        }
        Err(refusal)
    }

    /// Whether any of the issuer's lists names the certificate: serial numbers are the issuer's own, so the list's scope
    /// does not matter. A delta list counts even when old: nothing comes off a list by being old.
    fn is_listed(&self, certificate: &Certificate, vouchers: Vouchers<'_>) -> bool {
        self.crls.of_issuer(certificate.issuer()).iter().any(|crl| {
            !crl.is_indirect()
                && (self.is_current(crl) || crl.is_delta())
                && crl.lists(certificate.serial())
                && self.is_signed_by(crl, vouchers)
        })
    }

    /// A list without nextUpdate is never known to be current (RFC 5280 §5.1.2.5).
    fn is_current(&self, crl: &Crl) -> bool {
        crl.this_update() <= self.now && crl.next_update().is_some_and(|next| self.now <= next)
    }

    /// The reasons for which `crl` speaks about `certificate` through `point`; none when it speaks about others.
    fn usable(
        &self,
        crl: &Crl,
        certificate: &Certificate,
        point: &DistributionPoint,
    ) -> Result<u16, Refusal> {
        let mut reasons = point.reasons.map_or(ALL_REASONS, |reasons| reasons.bits() & ALL_REASONS);
        if crl.is_delta() {
            return Err(Refusal::DeltaCrl);
        }
        if crl.is_indirect() {
            return Err(Refusal::IndirectCrl);
        }
        if let Some(scope) = crl.issuing_distribution_point() {
            let other_kind = scope.only_contains_attribute_certs
                || (scope.only_contains_user_certs && certificate.is_ca())
                || (scope.only_contains_ca_certs && !certificate.is_ca());
            if other_kind || !point_fits(scope, point, crl.issuer(), certificate.issuer()) {
                return Ok(0);
            }
            reasons &= scope.only_some_reasons.map_or(ALL_REASONS, der::flagset::FlagSet::bits);
        }
        if crl.has_unknown_critical() {
            return Err(Refusal::RevocationUnknown);
        }
        if self.is_current(crl) { Ok(reasons) } else { Err(Refusal::RevocationStale) }
    }

    /// Whether the issuer signed the list: with the key that signed the certificate, with the key that certified that
    /// one under the same name, or with another key of its own that leads to the same anchor (RFC 5280 §6.3.3 f, g).
    fn is_signed_by(&self, crl: &Crl, vouchers: Vouchers<'_>) -> bool {
        let Vouchers { above, anchor, presumed, depth } = vouchers;
        let own = above.iter().take_while(|ca| ca.subject() == crl.issuer());
        if own.clone().any(|ca| self.may_have_signed(crl, ca)) {
            return true;
        }
        self.trust.intermediates_named(crl.issuer()).any(|signer| {
            is_other_key_of_same_ca(signer)
                && !own.clone().any(|ca| ca.public_key() == signer.public_key())
                && self.may_have_signed(crl, signer)
                && (presumed == Some(&**signer)
                    || path::find(signer, &[], self.trust, self.rules, self.now).is_ok_and(|path| {
                        path.last().is_some_and(|end| **end == *anchor)
                            && self.check_path_within(&path, depth, Some(signer)).is_ok()
                    }))
        })
    }

    fn may_have_signed(&self, crl: &Crl, signer: &Certificate) -> bool {
        let extensions = signer.extensions();
        let same_key = match (crl.authority_key_id(), extensions.subject_key_id.as_deref()) {
            (Some(authority), Some(subject)) => authority == subject,
            _ => true,
        };
        same_key
            && extensions.key_usage.as_ref().is_none_or(x509_cert::ext::pkix::KeyUsage::crl_sign)
            && crl.verify_signature(signer.public_key(), self.rules.allow_sha1).is_ok()
    }
}

/// Whether a certificate of the issuer's name is for another key of the same CA: one for lists only, or a self-issued one
/// of a key change. Two CAs may share a name (the Ministry's G2 and G3); the list of one says nothing about the other.
fn is_other_key_of_same_ca(signer: &Certificate) -> bool {
    let lists_only = signer.extensions().key_usage.as_ref().is_some_and(|usage| !usage.key_cert_sign());
    lists_only || signer.is_self_issued()
}

/// Keeps the reason that tells more about what to do.
fn worse(first: Refusal, second: Refusal) -> Refusal {
    if first == Refusal::RevocationUnknown || second == Refusal::RevocationStale { second } else { first }
}

/// Whether the lists of `point` come from somebody else than the certificate's issuer.
fn names_another_issuer(point: &DistributionPoint, issuer: &DistinguishedName) -> bool {
    point
        .crl_issuer
        .as_ref()
        .is_some_and(|names| !names.iter().any(|name| directory_name(name).as_ref() == Some(issuer)))
}

/// RFC 5280 §6.3.3 (b)(2)(i): one name of the list's point is one of the certificate's point.
fn point_fits(
    scope: &IssuingDistributionPoint,
    point: &DistributionPoint,
    crl_issuer: &DistinguishedName,
    certificate_issuer: &DistinguishedName,
) -> bool {
    let Some(scope) = &scope.distribution_point else { return true };
    let own = PointNames::read(scope, crl_issuer);
    match &point.distribution_point {
        Some(name) => own.intersects(&PointNames::read(name, certificate_issuer)),
        None => own.directory.contains(certificate_issuer),
    }
}

#[derive(Default)]
struct PointNames<'a> {
    directory: Vec<DistinguishedName>,
    other: Vec<&'a GeneralName>,
}

impl<'a> PointNames<'a> {
    fn read(name: &'a DistributionPointName, issuer: &DistinguishedName) -> Self {
        match name {
            DistributionPointName::FullName(names) => Self::full(names),
            DistributionPointName::NameRelativeToCRLIssuer(rdn) => {
                let full = rdn
                    .to_der()
                    .map_err(Malformed::from)
                    .and_then(|set| single(&set, Tag::Set).and_then(|set| issuer.with_rdn(set.value)));
                Self { directory: full.into_iter().collect(), other: Vec::new() }
            }
        }
    }

    fn full(names: &'a GeneralNames) -> Self {
        let mut all = Self::default();
        for name in names {
            match directory_name(name) {
                Some(name) => all.directory.push(name),
                None => all.other.push(name),
            }
        }
        all
    }

    fn intersects(&self, other: &Self) -> bool {
        self.directory.iter().any(|name| other.directory.contains(name))
            || self.other.iter().any(|name| other.other.contains(name))
    }
}

fn directory_name(name: &GeneralName) -> Option<DistinguishedName> {
    match name {
        GeneralName::DirectoryName(name) => DistinguishedName::parse(&name.to_der().ok()?).ok(),
        _ => None,
    }
}
