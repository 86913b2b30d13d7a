//! Hostile input: nothing panics, nothing changed is accepted, and nothing takes long.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::time::{Duration, Instant};

use idcheck_certificate::ocsp::{self, OcspResponse, Status};
use idcheck_certificate::{Certificate, Crl, Refusal, ber};
use support::mutate::Campaign;
use support::{COMPANY, COMPANY_SUBJECT, Pki, TEXT, now};

/// Changes tried for each seed in the tests; `cargo xtask fuzz` tries more.
const ROUNDS: usize = 3_000;

#[test]
fn cms_mutated_never_panics_and_never_signs_something_else() {
    let pki = Pki::new();
    pki.issue("rsa", COMPANY_SUBJECT, "company", COMPANY, "RSA");
    let verifier = pki.verifier();
    let seeds = [
        pki.sign("card", &[]),
        pki.sign("card", &["-noattr", "-keyid"]),
        pki.sign("card", &["-stream", "-indef", "-certfile", "company.pem"]),
        pki.sign("rsa", &["-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:-1"]),
    ];
    let Campaign { rounds, mut random } = Campaign::new("cms", ROUNDS);
    let mut accepted = 0;
    for seed in &seeds {
        let facts = verifier.verify(seed, Some(TEXT), now()).unwrap();
        for _ in 0..rounds {
            // Changes outside what is signed, or that are other BER for the same, may be accepted: with the same facts.
            if let Ok(found) = verifier.verify(&random.mutate(seed), Some(TEXT), now()) {
                accepted += 1;
                assert_eq!(found, facts);
            }
        }
    }
    println!("{accepted} of {} changed messages say the same as before", seeds.len() * rounds);
}

/// What a changed encoding must not do: verify under the key of the issuer of the original.
fn never_verifies<T>(
    target: &str,
    pki: &Pki,
    file: &str,
    parse: impl Fn(&[u8]) -> Option<T>,
    verifies: impl Fn(&T, &Certificate) -> bool,
) {
    let original = der::pem::decode_vec(&pki.read(file)).unwrap().1;
    let issuer = Certificate::parse(&der::pem::decode_vec(&pki.read("company.pem")).unwrap().1).unwrap();
    assert!(verifies(&parse(&original).unwrap(), &issuer));
    let Campaign { rounds, mut random } = Campaign::new(target, ROUNDS);
    for _ in 0..rounds {
        let changed = random.mutate(&original);
        if changed != original
            && let Some(read) = parse(&changed)
        {
            // The signed part, the algorithm and the signature are all there is.
            assert!(!verifies(&read, &issuer), "{changed:02x?}");
        }
    }
}

#[test]
fn certificate_mutated_never_panics_and_never_verifies() {
    never_verifies(
        "certificate",
        &Pki::new(),
        "card.pem",
        |der| Certificate::parse(der).ok(),
        |read, issuer| read.verify_signature(issuer.public_key(), true).is_ok(),
    );
}

#[test]
fn crl_mutated_never_panics_and_never_verifies() {
    let pki = Pki::new();
    pki.crl("company", &["card"], 30);
    never_verifies(
        "crl",
        &pki,
        "company.crl",
        |der| Crl::parse(der).ok(),
        |read, issuer| read.verify_signature(issuer.public_key(), true).is_ok(),
    );
}

#[test]
fn ocsp_mutated_never_panics_and_never_clears_anybody() {
    let pki = Pki::new();
    let read = |name: &str| Certificate::parse(&der::pem::decode_vec(&pki.read(name)).unwrap().1).unwrap();
    let (card, company) = (read("card.pem"), read("company.pem"));
    let index =
        format!("R\t491231235959Z\t250101000000Z\t{}\tunknown\t/O=card\n", card.serial_hex().to_uppercase());
    pki.write("company.index", index);
    pki.write("question", ocsp::request(&card, &company, b"0123456789abcdef"));
    let arguments = "ocsp -index company.index -CA company.pem -rsigner company.pem -rkey company.key \
                     -reqin question -respout answer -nmin 60";
    pki.openssl(&arguments.split_whitespace().collect::<Vec<_>>());
    let answer = pki.read("answer");
    let original = OcspResponse::parse(&answer).unwrap();
    assert_eq!(original.status(&card, &company, now()), Some(Status::Revoked));
    assert!(original.answers(b"0123456789abcdef") && !original.answers(b"another nonce"));
    let Campaign { rounds, mut random } = Campaign::new("ocsp", ROUNDS);
    for _ in 0..rounds {
        if let Ok(response) = OcspResponse::parse(&random.mutate(&answer)) {
            assert_ne!(response.status(&card, &company, now()), Some(Status::Good));
        }
    }
}

#[test]
fn ber_rewritten_to_der_stays() {
    let pki = Pki::new();
    let message = pki.sign("card", &["-stream", "-indef"]);
    let Campaign { rounds, mut random } = Campaign::new("ber", ROUNDS);
    let mut rewritten = 0;
    for _ in 0..rounds {
        if let Ok(der) = ber::to_der(&random.mutate(&message)) {
            assert_eq!(ber::to_der(&der), Ok(der.clone()));
            rewritten += 1;
        }
    }
    assert!(rewritten > rounds / 20, "{rewritten} of {rounds} were BER still");
}

fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u32::try_from(contents.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], &length[..], contents].concat()
}

/// Inputs of 64 KiB made to keep a parser busy.
fn expensive(pki: &Pki) -> Vec<(&'static str, Vec<u8>)> {
    let fill = |part: &[u8]| part.repeat(ber::MAX_LEN / part.len());
    let message = pki.sign("card", &[]);
    // Signed attributes in thousands, in descending order: worst for sorting.
    let attribute = |number: usize| {
        let oid = [&[0x06, 4, 0x2a][..], &[0x7f - u8::try_from(number >> 14 & 0x7f).unwrap()]].concat();
        let oid = [
            oid,
            vec![
                0x7f - u8::try_from(number >> 7 & 0x7f).unwrap(),
                0x7f - u8::try_from(number & 0x7f).unwrap(),
            ],
        ]
        .concat();
        [&[0x30, u8::try_from(oid.len() + 2).unwrap()], &oid[..], &[0x31, 0]].concat()
    };
    let attributes: Vec<u8> = (0..5_000).flat_map(attribute).collect();
    let sha256 = tlv(0x30, b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01");
    let ecdsa = tlv(0x30, b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02");
    let signer =
        [tlv(2, &[1]), tlv(0x80, b"x"), sha256, tlv(0xa0, &attributes), ecdsa, tlv(4, b"y")].concat();
    let data = tlv(
        0x30,
        &[&b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"[..], &tlv(0xa0, &tlv(4, b"z"))].concat(),
    );
    let signed_data = [tlv(2, &[1]), tlv(0x31, b""), data, tlv(0x31, &tlv(0x30, &signer))].concat();
    let content_info = |inner: &[u8]| {
        tlv(0x30, &[&b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"[..], &tlv(0xa0, inner)].concat())
    };
    // A whole clan of CAs with one name and no key identifiers: any of them might have issued any other.
    let nameless =
        "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n";
    let members: Vec<String> = (0..14).map(|index| format!("clan{index}")).collect();
    for (index, name) in members.iter().enumerate() {
        let issuer = if index == 0 { "root" } else { "clan0" };
        pki.issue(name, "/C=TW/O=Clan", issuer, nameless, "EC384");
    }
    pki.write(
        "clan.pem",
        members.iter().flat_map(|name| pki.read(&format!("{name}.pem"))).collect::<Vec<_>>(),
    );
    pki.issue(
        "lost",
        COMPANY_SUBJECT,
        "clan13",
        &COMPANY.replace("authorityKeyIdentifier=keyid:always\n", ""),
        "EC",
    );
    vec![
        ("nested, indefinite", fill(&[0x30, 0x80])),
        ("nested segments", fill(&[0x24, 0x80])),
        ("empty sequences", tlv(0x30, &fill(&[0x30, 0])[..ber::MAX_LEN - 6])),
        (
            "segments of one octet",
            [&[0x24, 0x80][..], &fill(&[4, 1, 0])[..ber::MAX_LEN - 4], &[0, 0]].concat(),
        ),
        ("zeros", vec![0; ber::MAX_LEN]),
        ("ones", vec![0xff; ber::MAX_LEN]),
        ("attributes", content_info(&tlv(0x30, &signed_data))),
        ("a long tail", [message, vec![0; ber::MAX_LEN / 2]].concat()),
        ("a clan of CAs", pki.sign("lost", &["-certfile", "clan.pem"])),
    ]
}

#[test]
fn hostile_messages_are_refused_at_once() {
    let pki = Pki::new();
    let verifier = pki.verifier();
    // Unoptimised code takes longer; the promise is for what is shipped.
    let limit = Duration::from_millis(if cfg!(debug_assertions) { 100 } else { 10 });
    for (name, message) in expensive(&pki) {
        assert!(message.len() <= ber::MAX_LEN, "{name}: {}", message.len());
        let attempt = || {
            let start = Instant::now();
            let verdict = verifier.verify(&message, Some(TEXT), now());
            (start.elapsed(), verdict.unwrap_err())
        };
        // The best of three: others use this machine too.
        let (took, refusal) = (0..3).map(|_| attempt()).min_by_key(|(took, _)| *took).unwrap();
        println!("{name}: {refusal} in {took:?}");
        assert!(took < limit, "{name} took {took:?}");
    }
    assert_eq!(verifier.verify(&vec![0x30; ber::MAX_LEN + 1], None, now()).unwrap_err(), Refusal::TooLarge);
}
