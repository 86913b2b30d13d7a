//! Revocation lists that two readers would read differently.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{str::FromStr, time::Duration};

use der::{
    Encode,
    asn1::{BitString, ObjectIdentifier, OctetString, UtcTime},
};
use idcheck_certificate::Crl;
use x509_cert::{
    Version,
    crl::{CertificateList, RevokedCert, TbsCertList},
    ext::Extension,
    name::Name,
    serial_number::SerialNumber,
    spki::AlgorithmIdentifierOwned,
    time::Time,
};

const REASON: &str = "2.5.29.21";
const DELTA: &str = "2.5.29.27";
const SCOPE: &str = "2.5.29.28";
const REMOVE_FROM_CRL: &[u8] = &[0x0a, 1, 8];
const ONLY_CA: &[u8] = &[0x30, 3, 0x85, 1, 0xff];
const EVERYTHING: &[u8] = &[0x30, 0];

fn extension(oid: &str, value: &[u8]) -> Extension {
    Extension {
        extn_id: ObjectIdentifier::new_unwrap(oid),
        critical: oid != REASON,
        extn_value: OctetString::new(value).unwrap(),
    }
}

/// A list with the serial number 7 on it.
fn list(extensions: Vec<Extension>, of_entry: Vec<Extension>) -> Vec<u8> {
    let at = |seconds| Time::UtcTime(UtcTime::from_unix_duration(Duration::from_secs(seconds)).unwrap());
    let algorithm = AlgorithmIdentifierOwned {
        oid: ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11"),
        parameters: None,
    };
    let entry = RevokedCert {
        serial_number: SerialNumber::new(&[7]).unwrap(),
        revocation_date: at(1_700_000_000),
        crl_entry_extensions: (!of_entry.is_empty()).then_some(of_entry),
    };
    let tbs_cert_list = TbsCertList {
        version: Version::V2,
        signature: algorithm.clone(),
        issuer: Name::from_str("CN=list").unwrap(),
        this_update: at(1_700_000_000),
        next_update: Some(at(1_800_000_000)),
        revoked_certificates: Some(vec![entry]),
        crl_extensions: (!extensions.is_empty()).then_some(extensions),
    };
    let signature = BitString::from_bytes(&[0; 256]).unwrap();
    CertificateList { tbs_cert_list, signature_algorithm: algorithm, signature }.to_der().unwrap()
}

#[test]
fn an_extension_twice_makes_the_list_unreadable() {
    let scope = |value| extension(SCOPE, value);
    assert!(Crl::parse(&list(vec![scope(ONLY_CA)], vec![])).is_ok());
    for (extensions, of_entry) in [
        (vec![scope(ONLY_CA), scope(EVERYTHING)], vec![]),
        (vec![scope(EVERYTHING), scope(EVERYTHING)], vec![]),
        (vec![], vec![extension(REASON, &[0x0a, 1, 1]), extension(REASON, REMOVE_FROM_CRL)]),
    ] {
        assert!(Crl::parse(&list(extensions, of_entry)).is_err());
    }
}

/// RFC 5280 §5.3.1.
#[test]
fn only_a_delta_list_takes_something_off() {
    let removed = || vec![extension(REASON, REMOVE_FROM_CRL)];
    let complete = Crl::parse(&list(vec![], removed())).unwrap();
    assert!(complete.lists(&[7]), "on a complete list it stands whatever its reason");
    let delta = Crl::parse(&list(vec![extension(DELTA, &[2, 1, 1])], removed())).unwrap();
    assert!(!delta.lists(&[7]));
}
