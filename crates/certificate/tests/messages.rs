//! Signatures made by OpenSSL: every shape that counts, and what is wrong with those that do not.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use chrono::Duration;
use idcheck_certificate::{CardRole, Policy, Refusal, path::PathRules};
use support::{COMPANY, COMPANY_SUBJECT, Pki, TEXT, now, ok};

#[test]
fn every_usual_shape_is_accepted() {
    let pki = Pki::new();
    for options in [
        &[][..],
        &["-noattr"],
        &["-nosmimecap"],
        &["-keyid"],
        &["-keyid", "-noattr"],
        &["-stream", "-indef"],
        &["-stream", "-indef", "-noattr"],
        &["-md", "sha384"],
        &["-md", "sha512"],
        &["-certfile", "company.pem"],
    ] {
        assert_eq!(pki.verdict(&pki.sign("card", options)), ok(), "{options:?}");
    }
}

#[test]
fn rsa_and_p384_sign_too() {
    let pki = Pki::new();
    let pss = ["-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:-1"];
    pki.issue("rsa", COMPANY_SUBJECT, "company", COMPANY, "RSA");
    pki.issue("p384", COMPANY_SUBJECT, "company", COMPANY, "EC384");
    assert_eq!(pki.verdict(&pki.sign("p384", &["-md", "sha384"])), ok());
    for md in ["sha256", "sha384", "sha512"] {
        assert_eq!(pki.verdict(&pki.sign("rsa", &["-md", md])), ok(), "{md}");
        assert_eq!(pki.verdict(&pki.sign("rsa", &[&["-md", md][..], &pss].concat())), ok(), "PSS {md}");
        assert_eq!(pki.verdict(&pki.sign("rsa", &["-md", md, "-stream", "-indef", "-noattr"])), ok(), "{md}");
    }
    // OpenSSL's own choice is the longest salt; a short one is what it is said to be.
    let padding = ["-keyopt", "rsa_padding_mode:pss"];
    assert_eq!(pki.verdict(&pki.sign("rsa", &padding)), ok());
    assert_eq!(
        pki.verdict(&pki.sign("rsa", &[&padding[..], &["-keyopt", "rsa_pss_saltlen:8"]].concat())),
        ok()
    );
    let other_mgf = [&padding[..], &["-keyopt", "rsa_mgf1_md:sha512"]].concat();
    assert_eq!(pki.verdict(&pki.sign("rsa", &other_mgf)), Err(Refusal::UnsupportedAlgorithm));
    pki.issue("small", COMPANY_SUBJECT, "company", COMPANY, "RSA1024");
    assert_eq!(pki.verdict(&pki.sign("small", &[])), Err(Refusal::SignatureInvalid));
}

#[test]
fn sha1_only_by_the_switch() {
    let pki = Pki::new();
    pki.issue("rsa", COMPANY_SUBJECT, "company", COMPANY, "RSA");
    let policy = Policy { path: PathRules { allow_sha1: true, ..PathRules::default() }, ..Policy::default() };
    let allowing = pki.verifier_with(&["root.crl", "company.crl"], policy);
    for signer in ["card", "rsa"] {
        let message = pki.sign(signer, &["-md", "sha1"]);
        assert_eq!(pki.verdict(&message), Err(Refusal::WeakAlgorithm));
        assert!(allowing.verify(&message, Some(TEXT), now()).is_ok(), "{signer}");
    }
    pki.certify("rsa", COMPANY_SUBJECT, "company", COMPANY, &["-sha1"]);
    assert_eq!(pki.verdict(&pki.sign("rsa", &[])), Err(Refusal::WeakAlgorithm));
    assert!(allowing.verify(&pki.sign("rsa", &[]), Some(TEXT), now()).is_ok());
}

#[test]
fn wrong_shapes_have_their_own_reasons() {
    let pki = Pki::new();
    pki.issue("second", COMPANY_SUBJECT, "company", COMPANY, "EC");
    assert_eq!(pki.verdict(&pki.sign("card", &["-nocerts"])), Err(Refusal::NoCertificate));
    assert_eq!(
        pki.verdict(&pki.sign("card", &["-nocerts", "-certfile", "company.pem"])),
        Err(Refusal::SignerCertificateMissing)
    );
    // The version of the certificate becomes 6: it came along, and can't be read.
    let message = pki.sign("card", &["-noattr"]);
    let version = [0xa0, 3, 2, 1, 2];
    let at = message.windows(version.len()).position(|octets| octets == version).unwrap();
    let mut odd = message.clone();
    odd[at + 4] = 5;
    assert_eq!(pki.verdict(&odd), Err(Refusal::CertificateUnreadable));
    let two = ["-signer", "second.pem", "-inkey", "second.key"];
    assert_eq!(pki.verdict(&pki.sign("card", &two)), Err(Refusal::SeveralSigners));
    pki.openssl(&[
        "cms", "-sign", "-binary", "-in", "text", "-outform", "DER", "-signer", "card.pem", "-inkey",
        "card.key", "-out", "detached",
    ]);
    assert_eq!(pki.verdict(&pki.read("detached")), Err(Refusal::DetachedContent));
    pki.openssl(&["crl2pkcs7", "-nocrl", "-certfile", "card.pem", "-outform", "DER", "-out", "certs-only"]);
    assert_eq!(pki.verdict(&pki.read("certs-only")), Err(Refusal::NoSigner));
    assert_eq!(pki.verdict(b""), Err(Refusal::Malformed));
    assert_eq!(pki.verdict(&pki.read("card.pem")), Err(Refusal::Malformed));
    let mut trailing = pki.sign("card", &[]);
    trailing.push(0);
    assert_eq!(pki.verdict(&trailing), Err(Refusal::Malformed));
}

#[test]
fn the_content_must_be_the_challenge() {
    let pki = Pki::new();
    let verifier = pki.verifier();
    let message = pki.sign("card", &[]);
    let verdict = |message: &[u8], content: &[u8]| verifier.verify(message, Some(content), now()).map(drop);
    assert_eq!(verdict(&message, TEXT), Ok(()));
    assert_eq!(verdict(&message, b"another challenge"), Err(Refusal::ContentMismatch));
    assert_eq!(verdict(&message, &TEXT[1..]), Err(Refusal::ContentMismatch));
    assert!(verifier.verify(&message, None, now()).is_ok());

    let utf16: Vec<u8> =
        std::str::from_utf8(TEXT).unwrap().encode_utf16().flat_map(u16::to_le_bytes).collect();
    pki.write("utf16", &utf16);
    pki.openssl(&[
        "cms",
        "-sign",
        "-binary",
        "-nodetach",
        "-in",
        "utf16",
        "-outform",
        "DER",
        "-signer",
        "card.pem",
        "-inkey",
        "card.key",
        "-out",
        "message16",
    ]);
    assert_eq!(verdict(&pki.read("message16"), TEXT), Ok(()));
    assert_eq!(verdict(&pki.read("message16"), b"another challenge"), Err(Refusal::ContentMismatch));
}

#[test]
fn a_changed_message_is_never_accepted() {
    let pki = Pki::new();
    let verifier = pki.verifier();
    for options in [&[][..], &["-noattr"]] {
        let message = pki.sign("card", options);
        let at = message.windows(TEXT.len()).position(|window| window == TEXT).unwrap();
        let mut changed = message.clone();
        changed[at] ^= 1;
        let expected = changed[at..at + TEXT.len()].to_vec();
        let refusal = verifier.verify(&changed, Some(&expected), now()).unwrap_err();
        assert!(matches!(refusal, Refusal::SignedAttributesInvalid | Refusal::SignatureInvalid), "{refusal}");
        let mut broken = message.clone();
        *broken.last_mut().unwrap() ^= 1;
        assert_eq!(pki.verdict(&broken), Err(Refusal::SignatureInvalid));
    }
    // Another key's signature under this card's certificate.
    pki.key("other", "EC");
    std::fs::copy(pki.path("card.pem"), pki.path("other.pem")).unwrap();
    std::fs::rename(pki.path("card.key"), pki.path("kept.key")).unwrap();
    pki.certify("other", COMPANY_SUBJECT, "personal", COMPANY, &[]);
    assert!(pki.verdict(&pki.sign("other", &[])).is_err());
}

#[test]
fn facts_are_read_and_examined() {
    let pki = Pki::new();
    let examination = pki.verifier().examine(&pki.sign("card", &[]), Some(TEXT), now());
    let facts = examination.outcome.unwrap();
    assert_eq!(facts.company_name, "測試甲股份有限公司");
    assert_eq!(facts.role, Some(CardRole::Primary));
    assert_eq!(facts.issuer, "OU=Company CA,O=測試,C=TW");
    assert_eq!(examination.chain.len(), 3);
    assert_eq!(examination.signer.unwrap().serial_hex(), facts.serial);
    assert!(facts.not_after - facts.not_before == Duration::days(365));
}

/// The first signed attribute, content type = data, as OpenSSL writes it.
const CONTENT_TYPE: &[u8] =
    b"\x30\x18\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03\x31\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";

#[test]
fn signed_attributes_are_checked_as_a_der_set() {
    let pki = Pki::new();
    let message = pki.sign("card", &[]);
    let at = message.windows(CONTENT_TYPE.len()).position(|window| window == CONTENT_TYPE).unwrap();
    let next = at + CONTENT_TYPE.len();
    let end = next + 2 + usize::from(message[next + 1]);

    // Sent in another order they are the same set (RFC 5652 §5.4).
    let swapped = [&message[..at], &message[next..end], CONTENT_TYPE, &message[end..]].concat();
    assert_ne!(swapped, message);
    assert_eq!(pki.verdict(&swapped), ok());

    // The attribute doubled: the next one, signing time, renamed to content type.
    let mut doubled = message.clone();
    doubled[next + 2..next + 13].copy_from_slice(&CONTENT_TYPE[2..13]);
    assert_eq!(pki.verdict(&doubled), Err(Refusal::SignedAttributesInvalid));

    // Another type than the content's, and none at all.
    for (offset, octet) in [(CONTENT_TYPE.len() - 1, 2), (12, 99)] {
        let mut changed = message.clone();
        changed[at + offset] = octet;
        assert_eq!(pki.verdict(&changed), Err(Refusal::SignedAttributesInvalid));
    }
    // A signing time that was not signed.
    let mut later = message;
    later[end - 2] ^= 1;
    assert_eq!(pki.verdict(&later), Err(Refusal::SignatureInvalid));
}
