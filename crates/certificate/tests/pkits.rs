//! NIST PKITS (Public Key Interoperability Test Suite, 2011): its signed messages, certificates and lists.
//!
//! Found in `IDCHECK_TEST_PKITS`, or in `target/pkits` of the workspace: the folder `PKITS_data` of the `PyPI` package
//! `cryptography-vectors`. Every message is judged; what we answer otherwise than the suite stands, with its reason, in
//! `pkits-exceptions.txt`, and the test fails when that file and the facts differ in either direction.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use chrono::{DateTime, Utc};
use der::asn1::ObjectIdentifier;
use idcheck_certificate::cms::SignedMessage;
use idcheck_certificate::path::{self, PathRules};
use idcheck_certificate::revocation::StatusCheck;
use idcheck_certificate::{Certificate, Crl, CrlStore, OcspAnswers, Refusal, TrustStore};

fn folder() -> PathBuf {
    #[allow(clippy::disallowed_methods)]
    let named = std::env::var_os("IDCHECK_TEST_PKITS").map(PathBuf::from);
    let folder =
        named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/pkits/PKITS_data"));
    assert!(
        folder.join("smime").is_dir(),
        "no PKITS in {}: `cargo xtask test` installs it, or set IDCHECK_TEST_PKITS",
        folder.display()
    );
    folder
}

struct Suite {
    folder: PathBuf,
    crls: CrlStore,
    anchor: Certificate,
}

impl Suite {
    fn open(folder: PathBuf) -> Self {
        let files = std::fs::read_dir(folder.join("crls")).unwrap();
        let lists = files
            .filter_map(|file| Crl::parse(&std::fs::read(file.unwrap().path()).unwrap()).ok())
            .map(Arc::new);
        let anchor = std::fs::read(folder.join("certs/TrustAnchorRootCertificate.crt")).unwrap();
        Self { crls: CrlStore::new(lists), anchor: Certificate::parse(&anchor).unwrap(), folder }
    }

    /// The verdict on a message, by its file's name.
    fn judge(&self, name: &str, rules: &PathRules) -> Result<(), Refusal> {
        let text = std::fs::read(self.folder.join("smime").join(name)).unwrap();
        let message = SignedMessage::parse(&attached(&text))?;
        let signer = Arc::new(message.signer_certificate()?.clone());
        message.verify(&signer, false)?;
        let others = message.certificates().iter().filter(|other| **other != *signer).cloned();
        let trust = TrustStore::new([self.anchor.clone()], [], others);
        let now = DateTime::parse_from_rfc3339("2020-06-01T12:00:00Z").unwrap().with_timezone(&Utc);
        let path = path::find(&signer, &[], &trust, rules, now)?;
        StatusCheck { crls: &self.crls, ocsp: &OcspAnswers::default(), trust: &trust, rules, now }
            .check_path(&path)
    }
}

/// The detached signature of a `multipart/signed` message with its content put in, which nothing signs.
fn attached(message: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(message.to_vec()).unwrap().replace("\r\n", "\n");
    let boundary = text.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
    let delimiter = format!("--{boundary}\n");
    let mut parts = text.split(&delimiter).skip(1);
    let content = parts.next().unwrap().strip_suffix('\n').unwrap().replace('\n', "\r\n");
    let signature = parts.next().unwrap().split("\n\n").nth(1).unwrap();
    let signature = signature.split("\n--").next().unwrap().replace('\n', "");
    let der = BASE64_STANDARD.decode(signature).unwrap();
    put_in(&der, content.as_bytes())
}

/// Writes `[0] { OCTET STRING content }` behind the content type of a `SignedData`.
fn put_in(message: &[u8], content: &[u8]) -> Vec<u8> {
    let info = members(&message[head(message)..]);
    let signed_data = &info[1][head(info[1])..];
    let mut fields: Vec<Vec<u8>> =
        members(&signed_data[head(signed_data)..]).iter().map(|part| part.to_vec()).collect();
    let content_type = members(&fields[2][head(&fields[2])..])[0].to_vec();
    fields[2] = tlv(0x30, &[content_type, tlv(0xa0, &tlv(0x04, content))].concat());
    tlv(0x30, &[info[0].to_vec(), tlv(0xa0, &tlv(0x30, &fields.concat()))].concat())
}

fn head(element: &[u8]) -> usize {
    if element[1] < 0x80 { 2 } else { 2 + usize::from(element[1] & 0x7f) }
}

fn members(mut contents: &[u8]) -> Vec<&[u8]> {
    let mut all = Vec::new();
    while !contents.is_empty() {
        let head = head(contents);
        let length = if head == 2 {
            usize::from(contents[1])
        } else {
            contents[2..head].iter().fold(0, |length, octet| length << 8 | usize::from(*octet))
        };
        let (member, rest) = contents.split_at(head + length);
        all.push(member);
        contents = rest;
    }
    all
}

fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u32::try_from(contents.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], &length[..], contents].concat()
}

/// Tests whose verdict depends on the inputs of path validation: policies, explicit policy, inhibit mapping, inhibit any,
/// and the verdict that the suite gives (PKITS §4.8, §4.10, §4.12).
const WITH_INPUTS: &str = "
AllCertificatesSamePolicyTest1            any  explicit -       valid
AllCertificatesSamePolicyTest1            1    explicit -       valid
AllCertificatesSamePolicyTest1            2    explicit -       invalid
AllCertificatesSamePolicyTest1            1,2  explicit -       valid
AllCertificatesNoPoliciesTest2            any  -        -       valid
AllCertificatesNoPoliciesTest2            any  explicit -       invalid
DifferentPoliciesTest3                    any  -        -       valid
DifferentPoliciesTest3                    any  explicit -       invalid
DifferentPoliciesTest3                    1,2  explicit -       invalid
DifferentPoliciesTest4                    any  -        -       invalid
DifferentPoliciesTest5                    any  -        -       invalid
OverlappingPoliciesTest6                  any  -        -       valid
OverlappingPoliciesTest6                  1    -        -       valid
OverlappingPoliciesTest6                  2    -        -       invalid
DifferentPoliciesTest7                    any  -        -       invalid
DifferentPoliciesTest8                    any  -        -       invalid
DifferentPoliciesTest9                    any  -        -       invalid
AllCertificatesSamePoliciesTest10         any  -        -       valid
AllCertificatesSamePoliciesTest10         1    -        -       valid
AllCertificatesSamePoliciesTest10         2    -        -       valid
AllCertificatesAnyPolicyTest11            any  -        -       valid
AllCertificatesAnyPolicyTest11            1    -        -       valid
DifferentPoliciesTest12                   any  -        -       invalid
AllCertificatesSamePoliciesTest13         1    -        -       valid
AllCertificatesSamePoliciesTest13         2    -        -       valid
AllCertificatesSamePoliciesTest13         3    -        -       valid
AnyPolicyTest14                           1    -        -       valid
AnyPolicyTest14                           2    -        -       invalid
UserNoticeQualifierTest15                 any  -        -       valid
UserNoticeQualifierTest16                 any  -        -       valid
UserNoticeQualifierTest17                 any  -        -       valid
UserNoticeQualifierTest18                 1    -        -       valid
UserNoticeQualifierTest18                 2    -        -       valid
UserNoticeQualifierTest19                 any  -        -       valid
CPSPointerQualifierTest20                 any  -        -       valid
ValidPolicyMappingTest1                   1    -        -       valid
ValidPolicyMappingTest1                   2    -        -       invalid
ValidPolicyMappingTest1                   any  -        mapping invalid
InvalidPolicyMappingTest2                 any  -        mapping invalid
ValidPolicyMappingTest3                   1    -        -       invalid
ValidPolicyMappingTest3                   2    -        -       valid
ValidPolicyMappingTest5                   1    -        -       valid
ValidPolicyMappingTest5                   6    -        -       invalid
ValidPolicyMappingTest6                   1    -        -       valid
ValidPolicyMappingTest6                   6    -        -       invalid
ValidPolicyMappingTest12                  1    -        -       valid
ValidPolicyMappingTest12                  2    -        -       valid
inhibitAnyPolicyTest3                     any  -        -       valid
inhibitAnyPolicyTest3                     any  -        any     invalid
";

fn rules(policies: &str, explicit: &str, inhibit: &str) -> PathRules {
    let policy = |number: &str| ObjectIdentifier::new(&format!("2.16.840.1.101.3.2.1.48.{number}")).unwrap();
    PathRules {
        policies: if policies == "any" { Vec::new() } else { policies.split(',').map(policy).collect() },
        require_explicit_policy: explicit == "explicit",
        inhibit_policy_mapping: inhibit == "mapping",
        inhibit_any_policy: inhibit == "any",
        allow_sha1: false,
    }
}

/// Message, inputs → the suite's verdict.
fn cases(folder: &Path) -> Vec<(String, PathRules, String, bool)> {
    let mut cases = Vec::new();
    for line in WITH_INPUTS.lines().filter(|line| !line.is_empty()) {
        let [name, policies, explicit, inhibit, verdict] = line.split_whitespace().collect::<Vec<_>>()[..]
        else {
            panic!("{line}")
        };
        let inputs = format!("{name} {policies} {explicit} {inhibit}");
        cases.push((
            format!("Signed{name}.eml"),
            rules(policies, explicit, inhibit),
            inputs,
            verdict == "valid",
        ));
    }
    for entry in std::fs::read_dir(folder.join("smime")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let name = file.strip_prefix("Signed").and_then(|name| name.strip_suffix(".eml")).unwrap().to_owned();
        if name.starts_with("Valid") || name.starts_with("Invalid") || name == "MissingCRLTest1" {
            let valid = name.starts_with("Valid");
            cases.push((file, PathRules::default(), name, valid));
        } else {
            assert!(WITH_INPUTS.contains(&format!("\n{name} ")), "{name} has no verdict");
        }
    }
    cases.sort_by(|a, b| a.2.cmp(&b.2));
    cases
}

#[test]
fn pkits_agrees_but_for_the_written_exceptions() {
    let folder = folder();
    let suite = Suite::open(folder);
    let exceptions: BTreeMap<String, String> = include_str!("pkits-exceptions.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, reason)| (name.to_owned(), reason.to_owned()))
        .collect();
    let (mut agreed, mut differing, mut wrong_accepts) = (0, Vec::new(), Vec::new());
    for (file, rules, name, valid) in cases(&suite.folder) {
        let verdict = suite.judge(&file, &rules);
        println!(
            "{:8} {:28} {name}",
            if valid { "valid" } else { "invalid" },
            verdict.map_or_else(Refusal::code, |()| "accepted")
        );
        match (verdict, valid) {
            (Ok(()), true) | (Err(_), false) => agreed += 1,
            (Ok(()), false) => wrong_accepts.push(name),
            (Err(reason), true) => differing.push((name, reason.code().to_owned())),
        }
    }
    println!(
        "PKITS: {agreed} agreed, {} refused though valid, {} wrong accepts",
        differing.len(),
        wrong_accepts.len()
    );
    assert!(wrong_accepts.is_empty(), "accepted though invalid: {wrong_accepts:#?}");
    let expected: Vec<(String, String)> = exceptions.into_iter().collect();
    assert_eq!(differing, expected, "pkits-exceptions.txt must list exactly what is refused though valid");
}

#[test]
fn only_certificates_and_lists_with_a_broken_signature_are_unreadable() {
    let folder = folder();
    let unreadable = |sub: &str, parse: &dyn Fn(&[u8]) -> bool| -> Vec<String> {
        let files = std::fs::read_dir(folder.join(sub)).unwrap().map(|entry| entry.unwrap());
        let failing = files.filter(|file| !parse(&std::fs::read(file.path()).unwrap()));
        failing.map(|file| file.file_name().into_string().unwrap()).collect()
    };
    let mut certificates = unreadable("certs", &|der| Certificate::parse(der).is_ok());
    certificates.sort();
    assert_eq!(certificates, ["BadSignedCACert.crt", "InvalidDSASignatureTest6EE.crt"]);
    assert_eq!(unreadable("crls", &|der| Crl::parse(der).is_ok()), ["BadCRLSignatureCACRL.crl"]);
}
