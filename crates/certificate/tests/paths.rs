//! Paths, revocation and whose card it is, on certificates and lists made by OpenSSL.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::sync::Arc;

use chrono::Duration;
use idcheck_certificate::facts::company_number;
use idcheck_certificate::path::{self, PathRules};
use idcheck_certificate::{Certificate, CrlStore, Policy, Refusal, Revocation, TrustStore, Verifier};
use support::{CA, COMPANY, COMPANY_SUBJECT, Pki, TEXT, data, now, ok};

#[test]
fn the_real_authorities_chain_by_key() {
    let certs = data("certs");
    let read = |name: &str| {
        let pem = std::fs::read(certs.join(name)).unwrap();
        Certificate::parse(&der::pem::decode_vec(&pem).unwrap().1).unwrap()
    };
    let anchors = || [read("GRCA2.pem"), read("GRCA3.pem")];
    let trust = TrustStore::new(anchors(), [read("MOEACA2.pem"), read("MOEACA3.pem")], []);
    let now = now();
    for (ca, root) in [("MOEACA2.pem", "GRCA2.pem"), ("MOEACA3.pem", "GRCA3.pem")] {
        let ca = Arc::new(read(ca));
        let path = path::find(&ca, &[], &trust, &PathRules::default(), now).unwrap();
        assert_eq!(path.len(), 2);
        assert_eq!(*path[1], read(root));
        let other = anchors().into_iter().find(|anchor| *anchor != read(root)).unwrap();
        assert!(ca.verify_signature(other.public_key(), false).is_err());
        let at = |time| path::find(&ca, &[], &trust, &PathRules::default(), time);
        assert_eq!(at(ca.not_before() - Duration::seconds(1)), Err(Refusal::NotYetValid));
        assert_eq!(at(ca.not_after() + Duration::seconds(1)), Err(Refusal::Expired));
    }
    assert_eq!(read("MOEACA2.pem").subject(), read("MOEACA3.pem").subject());
}

#[test]
fn two_authorities_with_one_name_are_told_apart() {
    let pki = Pki::new();
    pki.issue("generation3", "/C=TW/O=測試/OU=Company CA", "root", CA, "EC");
    pki.issue("card3", COMPANY_SUBJECT, "generation3", COMPANY, "EC");
    pki.crl_with("generation3", "generation3.crl", &[], 30, "authorityKeyIdentifier=keyid\n");
    let dir = pki.trust_dir();
    // The second generation is known, but no company CA yet.
    std::fs::copy(pki.path("generation3.pem"), dir.join("intermediates/g3.pem")).unwrap();
    let judge = |crls: &[&str]| {
        let trust = TrustStore::load(&dir).unwrap();
        let crls = CrlStore::new(pki.crls(crls));
        Verifier::new(Arc::new(trust), Arc::new(crls), Policy::default())
    };
    let message = pki.sign("card3", &[]);
    let all = ["root.crl", "company.crl", "generation3.crl"];
    assert_eq!(judge(&all).verify(&message, Some(TEXT), now()).unwrap_err(), Refusal::NotCompanyCa);
    std::fs::copy(pki.path("generation3.pem"), dir.join("company-ca/g3.pem")).unwrap();
    assert!(judge(&all).verify(&message, Some(TEXT), now()).is_ok());
    // The list of the namesake is not this authority's list.
    let refusal = judge(&["root.crl", "company.crl"]).verify(&message, Some(TEXT), now()).unwrap_err();
    assert_eq!(refusal, Refusal::RevocationUnknown);
}

#[test]
fn only_configured_anchors_and_company_authorities_count() {
    let pki = Pki::new();
    pki.root("evil", "/C=TW/O=Test Root");
    pki.issue("evilca", "/C=TW/O=測試/OU=Company CA", "evil", CA, "EC");
    pki.issue("forged", COMPANY_SUBJECT, "evilca", COMPANY, "EC");
    pki.write("sent.pem", [pki.read("evilca.pem"), pki.read("evil.pem")].concat());
    assert_eq!(pki.verdict(&pki.sign("forged", &["-certfile", "sent.pem"])), Err(Refusal::Untrusted));
    // An intermediate that came along may lead to the anchor, and then is no company CA.
    pki.issue("other", "/C=TW/O=測試/OU=Other CA", "root", CA, "EC");
    pki.issue("foreign", COMPANY_SUBJECT, "other", COMPANY, "EC");
    assert_eq!(pki.verdict(&pki.sign("foreign", &[])), Err(Refusal::Untrusted));
    assert_eq!(pki.verdict(&pki.sign("foreign", &["-certfile", "other.pem"])), Err(Refusal::NotCompanyCa));
    // A card is no CA.
    pki.issue("below", COMPANY_SUBJECT, "card", COMPANY, "EC");
    assert_eq!(pki.verdict(&pki.sign("below", &["-certfile", "card.pem"])), Err(Refusal::IssuerNotCa));
}

#[test]
fn other_kinds_of_cards_are_named() {
    let pki = Pki::new();
    let plain =
        "keyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n";
    for (subject, refusal) in [
        ("/C=TW/CN=測試自然人/serialNumber=0000000000000001", Refusal::PersonalCard),
        ("/C=TW/O=測試機關/OU=測試處", Refusal::GovernmentCard),
        ("/C=TW/L=測試市/OU=測試處", Refusal::GovernmentCard),
        (COMPANY_SUBJECT, Refusal::NotCompanyCa),
    ] {
        pki.issue("other", subject, "personal", plain, "EC");
        assert_eq!(pki.verdict(&pki.sign("other", &[])), Err(refusal), "{subject}");
    }
}

#[test]
fn usage_and_numbers_of_company_cards() {
    let pki = Pki::new();
    let with = |from: &str, to: &str| COMPANY.replace(from, to);
    let cases = [
        (
            "a",
            COMPANY_SUBJECT,
            with("critical,digitalSignature", "critical,keyEncipherment,dataEncipherment"),
            Err(Refusal::WrongUsage),
        ),
        ("b", COMPANY_SUBJECT, with("keyUsage=critical,digitalSignature\n", ""), Err(Refusal::WrongUsage)),
        ("c", COMPANY_SUBJECT, format!("extendedKeyUsage=serverAuth\n{COMPANY}"), Err(Refusal::WrongUsage)),
        ("d", "/C=TW/O=測試", COMPANY.to_owned(), ok()),
        ("e", COMPANY_SUBJECT, with("2.5.29.9=ASN1:SEQUENCE:sda", ""), ok()),
        ("f", "/C=TW/O=測試", with("2.5.29.9=ASN1:SEQUENCE:sda", ""), Err(Refusal::NoCompanyNumber)),
        ("g", "/C=TW/O=測試/serialNumber=53212539", COMPANY.to_owned(), Err(Refusal::CompanyNumberInvalid)),
        (
            "h",
            "/C=TW/O=測試/serialNumber=2468135",
            with("2.5.29.9=ASN1:SEQUENCE:sda", ""),
            Err(Refusal::CompanyNumberInvalid),
        ),
        (
            "i",
            COMPANY_SUBJECT,
            format!("1.2.3.4=critical,ASN1:NULL\n{COMPANY}"),
            Err(Refusal::UnknownCriticalExtension),
        ),
    ];
    for (name, subject, extensions, expected) in cases {
        pki.issue(name, subject, "company", &extensions, "EC");
        assert_eq!(pki.verdict(&pki.sign(name, &[])), expected, "{name}");
    }
}

#[test]
fn authorities_must_be_allowed_to_issue() {
    let pki = Pki::new();
    let sub = |name: &str, extensions: &str| {
        pki.issue(name, &format!("/C=TW/O=測試/OU={name}"), "company", extensions, "EC");
        pki.issue("leaf", COMPANY_SUBJECT, name, COMPANY, "EC");
        pki.crl(name, &[], 30);
        let sub_pem = format!("{name}.pem");
        let message = pki.sign("leaf", &["-certfile", &sub_pem]);
        let crl = format!("{name}.crl");
        pki.verifier_with(&["root.crl", "company.crl", &crl], Policy::default())
            .verify(&message, Some(TEXT), now())
            .map(|facts| facts.unified_business_number)
    };
    assert_eq!(sub("fine", CA), ok());
    assert_eq!(sub("noca", &CA.replace("CA:TRUE", "CA:FALSE")), Err(Refusal::IssuerNotCa));
    assert_eq!(sub("nosign", &CA.replace("keyCertSign,", "")), Err(Refusal::IssuerKeyUsage));
    assert_eq!(
        sub("names", &format!("{CA}nameConstraints=critical,permitted;dirName:dn\n[dn]\nC=JP\n")),
        Err(Refusal::NameConstraint)
    );
    // The company CA with pathlen:0 has no CA below it.
    pki.certify(
        "company",
        "/C=TW/O=測試/OU=Company CA",
        "root",
        &CA.replace("CA:TRUE", "CA:TRUE,pathlen:0"),
        &[],
    );
    assert_eq!(sub("toolong", CA), Err(Refusal::PathTooLong));
    assert_eq!(pki.verdict(&pki.sign("card", &[])), ok());
}

#[test]
fn revocation_is_known_or_refused() {
    let pki = Pki::new();
    let message = pki.sign("card", &[]);
    let judge = |crls: &[&str], after: Duration| {
        pki.verifier_with(crls, Policy::default()).verify(&message, Some(TEXT), now() + after).map(drop)
    };
    let zero = Duration::zero();
    assert_eq!(judge(&["root.crl", "company.crl"], zero), Ok(()));
    for missing in [&["root.crl"][..], &["company.crl"], &[], &["root.crl", "personal.crl"]] {
        assert_eq!(judge(missing, zero), Err(Refusal::RevocationUnknown), "{missing:?}");
    }
    assert_eq!(judge(&["root.crl", "company.crl"], Duration::days(31)), Err(Refusal::RevocationStale));
    assert!(Refusal::RevocationStale.is_retryable() && Refusal::RevocationUnknown.is_retryable());
    let off = pki.verifier_with(&[], Policy { revocation: Revocation::Off, ..Policy::default() });
    assert!(off.verify(&message, Some(TEXT), now()).is_ok());

    pki.crl("company", &["card"], 30);
    assert_eq!(judge(&["root.crl", "company.crl"], zero), Err(Refusal::Revoked));
    assert_eq!(judge(&["company.crl"], zero), Err(Refusal::Revoked), "known to be revoked beats unknown");
    pki.crl("company", &[], 30);
    pki.crl("root", &["company"], 30);
    assert_eq!(judge(&["root.crl", "company.crl"], zero), Err(Refusal::IssuerRevoked));
}

#[test]
fn lists_of_others_and_odd_lists_do_not_clear() {
    let pki = Pki::new();
    let message = pki.sign("card", &[]);
    let judge = |list: &str| {
        pki.verifier_with(&["root.crl", list], Policy::default())
            .verify(&message, Some(TEXT), now())
            .map(drop)
    };
    // The right name, the wrong key.
    pki.root("fake", "/C=TW/O=測試/OU=Company CA");
    pki.crl_with("fake", "fake.crl", &[], 30, "");
    assert_eq!(judge("fake.crl"), Err(Refusal::RevocationUnknown));
    let point = |extensions: &str| {
        pki.crl_with("company", "odd.crl", &[], 30, extensions);
        judge("odd.crl")
    };
    assert_eq!(point("2.5.29.27=critical,ASN1:INTEGER:1\n"), Err(Refusal::DeltaCrl));
    assert_eq!(
        point("issuingDistributionPoint=critical,@p\n[p]\nindirectCRL=TRUE\n"),
        Err(Refusal::IndirectCrl)
    );
    assert_eq!(
        point("issuingDistributionPoint=critical,@p\n[p]\nonlyCA=TRUE\n"),
        Err(Refusal::RevocationUnknown)
    );
    assert_eq!(point("issuingDistributionPoint=critical,@p\n[p]\nonlyuser=TRUE\n"), Ok(()));
    assert_eq!(
        point("issuingDistributionPoint=critical,@p\n[p]\nonlysomereasons=keyCompromise\n"),
        Err(Refusal::RevocationUnknown)
    );
    assert_eq!(
        point("issuingDistributionPoint=critical,@p\n[p]\nfullname=URI:http://crl.example/1.crl\n"),
        Err(Refusal::RevocationUnknown),
        "a shard for others"
    );
    assert_eq!(point("1.2.3.4=critical,ASN1:NULL\n"), Err(Refusal::RevocationUnknown));
}

#[test]
fn a_shard_counts_for_its_own_certificates() {
    let pki = Pki::new();
    let own = COMPANY.replace("[sda]", "crlDistributionPoints=URI:http://crl.example/1.crl\n[sda]");
    pki.issue("card", COMPANY_SUBJECT, "company", &own, "EC");
    let message = pki.sign("card", &[]);
    let judge = |shard: u8, revoked: &[&str]| {
        let extensions = format!(
            "issuingDistributionPoint=critical,@p\n[p]\nfullname=URI:http://crl.example/{shard}.crl\n"
        );
        pki.crl_with("company", "shard.crl", revoked, 30, &extensions);
        let verifier = pki.verifier_with(&["root.crl", "shard.crl"], Policy::default());
        verifier.verify(&message, Some(TEXT), now()).map(drop)
    };
    assert_eq!(judge(1, &[]), Ok(()));
    assert_eq!(judge(2, &[]), Err(Refusal::RevocationUnknown));
    assert_eq!(judge(1, &["card"]), Err(Refusal::Revoked));
}

#[test]
fn validity_is_judged_at_the_given_time() {
    let pki = Pki::new();
    let message = pki.sign("card", &[]);
    let at = |days| pki.verifier().verify(&message, Some(TEXT), now() + Duration::days(days)).map(drop);
    assert_eq!(at(-2), Err(Refusal::IssuerNotYetValid));
    assert_eq!(at(4000), Err(Refusal::IssuerExpired));
    pki.certify("card", COMPANY_SUBJECT, "company", COMPANY, &["-days", "10"]);
    let message = pki.sign("card", &[]);
    let verifier = pki.verifier();
    let refusal = verifier.verify(&message, Some(TEXT), now() + Duration::days(11)).unwrap_err();
    assert_eq!(refusal, Refusal::Expired);
}

#[test]
fn folders_are_read_and_reread() {
    let pki = Pki::new();
    let dir = pki.trust_dir();
    let folder = idcheck_certificate::FolderVerifier::load(&dir, Policy::default()).unwrap();
    let message = pki.sign("card", &[]);
    let judge = || folder.current().verify(&message, Some(TEXT), now()).map(drop);
    assert_eq!(judge(), Err(Refusal::RevocationUnknown));
    assert!(!folder.reload_if_changed().unwrap());
    std::fs::create_dir(dir.join("crls")).unwrap();
    for list in ["root.crl", "company.crl"] {
        std::fs::copy(pki.path(list), dir.join("crls").join(list)).unwrap();
    }
    assert!(folder.reload_if_changed().unwrap());
    assert_eq!(judge(), Ok(()));
    std::fs::write(dir.join("crls/broken.crl"), "nothing").unwrap();
    assert!(folder.reload_if_changed().unwrap_err().to_string().contains("broken.crl"));
    assert_eq!(judge(), Ok(()), "what was there still counts");
}

/// A serial number of the subject that is no text is not passed over: it and the extension must agree.
#[test]
fn a_number_that_is_no_text_agrees_with_none() {
    let pki = Pki::new();
    let mut card = der::pem::decode_vec(&pki.read("card.pem")).unwrap().1;
    assert_eq!(company_number(&Certificate::parse(&card).unwrap()).as_deref(), Ok("99900030"));
    let serial_number = [6, 3, 0x55, 4, 5];
    let at = card.windows(serial_number.len()).position(|octets| octets == serial_number).unwrap();
    card[at + serial_number.len()] = 4;
    assert_eq!(company_number(&Certificate::parse(&card).unwrap()), Err(Refusal::CompanyNumberInvalid));
}

/// What can't be read among the trusted certificates is told by file, place and rule.
#[test]
fn an_odd_certificate_is_named_with_its_rule() {
    let pki = Pki::new();
    let dir = pki.trust_dir();
    let good = pki.read("company.pem");
    let der = der::pem::decode_vec(&good).unwrap().1;
    let changed = |from: &[u8], to: &[u8]| {
        let at = der.windows(from.len()).position(|octets| octets == from).unwrap();
        let mut odd = der.clone();
        odd[at..at + to.len()].copy_from_slice(to);
        odd
    };
    let told = |name: &str, content: &[u8]| {
        let file = dir.join("company-ca").join(name);
        std::fs::write(&file, content).unwrap();
        let told = TrustStore::load(&dir).unwrap_err().to_string();
        std::fs::remove_file(&file).unwrap();
        told.split_once("company-ca/").unwrap().1.to_owned()
    };
    let end = "; take the file out, or put a good one in its place";
    let twice = |odd: &[u8]| {
        let pem = der::pem::encode_string("CERTIFICATE", der::pem::LineEnding::LF, odd).unwrap();
        [&good, pem.as_bytes()].concat()
    };
    for (from, to, rule) in [
        (
            &[0xa0, 3, 2, 1, 2][..],
            &[0xa0, 3, 2, 1, 5][..],
            "a version other than 1, 2 and 3 (RFC 5280 §4.1.2.1)",
        ),
        (&[6, 3, 0x55, 0x1d, 0x0e], &[6, 3, 0x55, 0x1d, 0x0f], "an extension twice (RFC 5280 §4.2)"),
        (&[6, 3, 0x55, 4, 6, 0x13], &[6, 4], "a name that can't be read (RFC 5280 §4.1.2.4)"),
    ] {
        let odd = changed(from, to);
        assert_eq!(told("odd.der", &odd), format!("odd.der: CERTIFICATE 1 can't be read: {rule}{end}"));
        assert_eq!(
            told("odd.pem", &twice(&odd)),
            format!("odd.pem: CERTIFICATE 2 can't be read: {rule}{end}")
        );
    }
    assert_eq!(told("empty.pem", b"nothing"), "empty.pem: no CERTIFICATE in DER or PEM");
}
