//! Certificate revocation lists (RFC 5280 §5), read once into an index: a look-up among 100,000 entries is a binary
//! search, and a list's signature is verified once for each key.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use der::asn1::ObjectIdentifier;
use der::oid::AssociatedOid;
use der::{Tag, TagNumber};
use x509_cert::ext::pkix as ext;
use x509_cert::ext::pkix::crl::dp::IssuingDistributionPoint;

use crate::Refusal;
use crate::asn1::{Element, Malformed, context, decode, single};
use crate::certificate::{extension, range_of, sha256};
use crate::name::DistinguishedName;
use crate::signature::{PublicKey, Scheme};
use crate::trust::{LoadError, read_file, read_folder};

// Spelt out: `x509-cert` 0.2.5 gives the type another extension's identifier.
const ISSUING_DISTRIBUTION_POINT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.28");
const DELTA_CRL_INDICATOR: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.27");
const CERTIFICATE_ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.29");
const REASON_CODE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.21");
const INVALIDITY_DATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.24");
/// `removeFromCRL`, ENUMERATED 8.
const REMOVE_FROM_CRL: &[u8] = &[0x0a, 1, 8];

/// Extensions that a list, or an entry of it, may have; more than any has.
const MAX_EXTENSIONS: usize = 16;

/// The extensions that were read of one place. None comes twice (RFC 5280 §4.2): of two, each reader would believe another.
#[derive(Default)]
struct Seen {
    known: [Option<ObjectIdentifier>; MAX_EXTENSIONS],
    count: usize,
}

impl Seen {
    fn once(&mut self, oid: ObjectIdentifier) -> Result<(), Malformed> {
        if self.known.contains(&Some(oid)) {
            return Err(Malformed::DER);
        }
        *self.known.get_mut(self.count).ok_or(Malformed::DER)? = Some(oid);
        self.count += 1;
        Ok(())
    }
}

/// SHA-256 of a key's `SubjectPublicKeyInfo`, and whether SHA-1 was allowed.
type KeyUse = ([u8; 32], bool);

/// One certificate revocation list.
pub struct Crl {
    der: Box<[u8]>,
    tbs: Range<usize>,
    scheme: Result<Scheme, Refusal>,
    signature: Box<[u8]>,
    issuer: DistinguishedName,
    authority_key_id: Option<Vec<u8>>,
    this_update: DateTime<Utc>,
    next_update: Option<DateTime<Utc>>,
    issuing_distribution_point: Option<IssuingDistributionPoint>,
    is_delta: bool,
    has_indirect_entries: bool,
    unknown_critical: bool,
    /// Where the serial numbers stand in `der`, sorted by their contents.
    revoked: Vec<Range<u32>>,
    /// Key (SHA-256 of its `SubjectPublicKeyInfo`, SHA-1 allowed) → outcome.
    verified: Mutex<HashMap<KeyUse, Result<(), Refusal>>>,
}

impl Crl {
    /// Reads a DER CRL with nothing behind it.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn parse(der: &[u8]) -> Result<Self, Malformed> {
        let mut outer = single(der, Tag::Sequence)?.children();
        let tbs = outer.expect(Tag::Sequence)?;
        let algorithm = outer.expect(Tag::Sequence)?;
        let signature = outer.expect(Tag::BitString)?.bit_string()?;
        outer.finish()?;

        let mut fields = tbs.children();
        let version2 = match fields.optional(Tag::Integer)?.map(|version| version.value) {
            None => false,
            Some([1]) => true,
            Some(_) => return Err(Malformed::DER),
        };
        if fields.expect(Tag::Sequence)?.bytes != algorithm.bytes {
            // RFC 5280 §5.1.1.2.
            return Err(Malformed::DER);
        }
        let issuer = DistinguishedName::parse(fields.expect(Tag::Sequence)?.bytes)?;
        let this_update = fields.read()?.time()?;
        let next_update = match fields.optional(Tag::UtcTime)? {
            Some(time) => Some(time.time()?),
            None => fields.optional(Tag::GeneralizedTime)?.map(Element::time).transpose()?,
        };
        let mut crl = Self {
            tbs: range_of(der, tbs.bytes),
            scheme: Scheme::from_identifier(algorithm),
            signature: signature.into(),
            issuer,
            authority_key_id: None,
            this_update,
            next_update,
            issuing_distribution_point: None,
            is_delta: false,
            has_indirect_entries: false,
            unknown_critical: false,
            revoked: Vec::new(),
            verified: Mutex::default(),
            der: der.into(),
        };
        let mut taken_off = Vec::new();
        if let Some(entries) = fields.optional(Tag::Sequence)? {
            taken_off = crl.read_entries(der, entries, version2)?;
        }
        if let Some(extensions) = fields.optional(context(TagNumber::N0))? {
            crl.read_extensions(extensions)?;
        }
        fields.finish()?;
        // Only a delta list takes something off (RFC 5280 §5.3.1); what stands on a complete one is on it.
        if !crl.is_delta {
            crl.revoked.append(&mut taken_off);
        }
        crl.revoked.sort_unstable_by(|a, b| slice(der, a).cmp(slice(der, b)));
        Ok(crl)
    }

    /// The entries; those that take a certificate off the list are told apart.
    fn read_entries(
        &mut self,
        der: &[u8],
        entries: Element<'_>,
        version2: bool,
    ) -> Result<Vec<Range<u32>>, Malformed> {
        let mut taken_off = Vec::new();
        let mut list = entries.children();
        while !list.is_empty() {
            let mut entry = list.expect(Tag::Sequence)?.children();
            let serial = range_of(der, entry.expect(Tag::Integer)?.integer()?);
            entry.read()?.time()?;
            let extensions = entry.optional(Tag::Sequence)?.filter(|_| version2);
            let removed = extensions.map(|extensions| self.read_entry_extensions(extensions)).transpose()?;
            entry.finish()?;
            let offset = |at: usize| u32::try_from(at).map_err(|_| Malformed::DER);
            let serial = offset(serial.start)?..offset(serial.end)?;
            if removed == Some(true) { taken_off.push(serial) } else { self.revoked.push(serial) }
        }
        Ok(taken_off)
    }

    /// True for `removeFromCRL`.
    fn read_entry_extensions(&mut self, extensions: Element<'_>) -> Result<bool, Malformed> {
        let mut list = extensions.children();
        let (mut seen, mut removed) = (Seen::default(), false);
        while !list.is_empty() {
            let (oid, critical, value) = extension(&mut list)?;
            seen.once(oid)?;
            match oid {
                CERTIFICATE_ISSUER => self.has_indirect_entries = true,
                REASON_CODE => removed = value == REMOVE_FROM_CRL,
                INVALIDITY_DATE => {}
                _ => self.unknown_critical |= critical,
            }
        }
        Ok(removed)
    }

    fn read_extensions(&mut self, wrapper: Element<'_>) -> Result<(), Malformed> {
        let mut list = single(wrapper.value, Tag::Sequence)?.children();
        let mut seen = Seen::default();
        while !list.is_empty() {
            let (oid, critical, value) = extension(&mut list)?;
            seen.once(oid)?;
            match oid {
                ext::AuthorityKeyIdentifier::OID => {
                    let identifier = decode::<ext::AuthorityKeyIdentifier>(value)?;
                    self.authority_key_id = identifier.key_identifier.map(der::asn1::OctetString::into_bytes);
                }
                ISSUING_DISTRIBUTION_POINT => {
                    self.issuing_distribution_point = Some(decode(value)?);
                }
                DELTA_CRL_INDICATOR => self.is_delta = true,
                ext::CrlNumber::OID => {}
                _ => self.unknown_critical |= critical,
            }
        }
        Ok(())
    }

    pub const fn issuer(&self) -> &DistinguishedName {
        &self.issuer
    }

    pub const fn this_update(&self) -> DateTime<Utc> {
        self.this_update
    }

    /// Until when it counts.
    pub const fn next_update(&self) -> Option<DateTime<Utc>> {
        self.next_update
    }

    /// How many certificates it lists.
    pub fn len(&self) -> usize {
        self.revoked.len()
    }

    /// Whether it lists none.
    pub fn is_empty(&self) -> bool {
        self.revoked.is_empty()
    }

    pub(crate) fn authority_key_id(&self) -> Option<&[u8]> {
        self.authority_key_id.as_deref()
    }

    pub(crate) const fn issuing_distribution_point(&self) -> Option<&IssuingDistributionPoint> {
        self.issuing_distribution_point.as_ref()
    }

    pub(crate) const fn is_delta(&self) -> bool {
        self.is_delta
    }

    pub(crate) fn is_indirect(&self) -> bool {
        self.has_indirect_entries
            || self.issuing_distribution_point.as_ref().is_some_and(|point| point.indirect_crl)
    }

    pub(crate) const fn has_unknown_critical(&self) -> bool {
        self.unknown_critical
    }

    /// Whether it lists a serial number, given as contents octets.
    pub fn lists(&self, serial: &[u8]) -> bool {
        self.revoked.binary_search_by(|range| slice(&self.der, range).cmp(serial)).is_ok()
    }

    /// Verifies that `key` signed it; remembered for each key.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    pub fn verify_signature(&self, key: &PublicKey, allow_sha1: bool) -> Result<(), Refusal> {
        let id = (sha256(key.info()), allow_sha1);
        let remembered = self.verified.lock().unwrap_or_else(PoisonError::into_inner).get(&id).copied();
        if let Some(outcome) = remembered {
            return outcome;
        }
        let outcome = self
            .scheme
            .and_then(|scheme| key.verify(scheme, &self.der[self.tbs.clone()], &self.signature, allow_sha1));
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.len() < MAX_REMEMBERED_KEYS {
            verified.insert(id, outcome);
        }
        outcome
    }
}

/// Messages can bring keys along; only so many are remembered for one list.
const MAX_REMEMBERED_KEYS: usize = 16;

fn slice<'a>(der: &'a [u8], range: &Range<u32>) -> &'a [u8] {
    // `u32` offsets into a slice in memory always fit.
    &der[range.start as usize..range.end as usize]
}

impl std::fmt::Debug for Crl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Crl({}, {} entries, from {})", self.issuer, self.revoked.len(), self.this_update)
    }
}

/// The lists at hand, by issuer, newest first.
#[derive(Debug, Default, Clone)]
pub struct CrlStore {
    by_issuer: HashMap<DistinguishedName, Vec<Arc<Crl>>>,
}

impl CrlStore {
    /// A store of these lists.
    pub fn new(crls: impl IntoIterator<Item = Arc<Crl>>) -> Self {
        let mut by_issuer = HashMap::<_, Vec<Arc<Crl>>>::new();
        for crl in crls {
            by_issuer.entry(crl.issuer.clone()).or_default().push(crl);
        }
        for lists in by_issuer.values_mut() {
            lists.sort_by_key(|crl| std::cmp::Reverse(crl.this_update));
        }
        Self { by_issuer }
    }

    /// Reads the lists of one DER or PEM file.
    ///
    /// # Errors
    /// [`LoadError`].
    pub fn read_file(path: &Path) -> Result<Vec<Arc<Crl>>, LoadError> {
        read_file(path, "X509 CRL", |der| Crl::parse(der).map(Arc::new))
    }

    /// Reads all lists of a folder; a missing folder counts as empty.
    ///
    /// # Errors
    /// [`LoadError`], naming the file.
    pub fn read_folder(folder: &Path) -> Result<Vec<Arc<Crl>>, LoadError> {
        read_folder(folder, "X509 CRL", |der| Crl::parse(der).map(Arc::new))
    }

    /// The lists of an issuer, newest first.
    pub(crate) fn of_issuer(&self, issuer: &DistinguishedName) -> &[Arc<Crl>] {
        self.by_issuer.get(issuer).map_or(&[], Vec::as_slice)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Crl>> {
        self.by_issuer.values().flatten()
    }
}
