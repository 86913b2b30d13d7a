//! Keys that are taken, and the corpus of those that are not (threat 2).

use idcheck_domain::{Violation, key::Profile};
use idcheck_token::PublicKeys;
use idcheck_usecases::ports::KeyReader;

use crate::support::{ED25519, P256, P384, RSA, RSA_NULL, Rsa, Signer, pem, pkcs1, spki};

fn read(pem: &str, profile: Profile) -> Result<String, Violation> {
    PublicKeys.read(pem, profile).map(|key| key.fingerprint)
}

fn both(pem: &str) -> [Result<(), Violation>; 2] {
    [Profile::Legacy, Profile::Strict].map(|profile| read(pem, profile).map(drop))
}

const REFUSED: Result<(), Violation> = Err(Violation::PublicKeyRefused);
const CURVE: Result<(), Violation> = Err(Violation::PublicKeyCurve);
const NO_KEY: Result<(), Violation> = Err(Violation::PublicKeyFormat);

#[test]
fn the_kind_of_key_decides_the_profile() {
    for signer in Signer::all() {
        let legacy = match &signer {
            Signer::Rs256(_) | Signer::Ps256(_) => Ok(()),
            Signer::Es256(_) | Signer::EdDsa(_) => CURVE,
        };
        assert_eq!(both(&signer.pem()), [legacy, Ok(())], "{}", signer.algorithm());
    }
}

/// The same key in every form that tools and people bring it in is the same key.
#[test]
fn pem_is_read_as_it_is_pasted() {
    let key = pem("RSA PUBLIC KEY", &pkcs1(&Rsa::new().modulus(), &[1, 0, 1]));
    let expected = read(&key, Profile::Legacy);
    assert!(expected.is_ok());
    let body: String = key.lines().filter(|line| !line.starts_with('-')).collect();
    let wrapped = |width: usize, end: &str| {
        let lines: Vec<_> =
            body.as_bytes().chunks(width).map(|l| String::from_utf8_lossy(l).into_owned()).collect();
        format!("-----BEGIN RSA PUBLIC KEY-----{end}{}{end}-----END RSA PUBLIC KEY-----", lines.join(end))
    };
    for text in [
        wrapped(32, "\n"),
        wrapped(76, "\r\n"),
        wrapped(10_000, "\n"),
        wrapped(64, "  \n  "),
        wrapped(64, "\n\n"),
        wrapped(64, " "),
        format!("\u{feff}{key}"),
        format!("our key:\n{key}\nthat was it"),
    ] {
        assert_eq!(read(&text, Profile::Legacy), expected, "{text}");
    }
}

#[test]
fn what_is_no_public_key_is_called_by_its_name() {
    let block = |label: &str| format!("-----BEGIN {label}-----\nMIIB\n-----END {label}-----\n");
    for (text, told) in [
        (block("PRIVATE KEY"), Violation::PrivateKey),
        (block("RSA PRIVATE KEY"), Violation::PrivateKey),
        (block("ENCRYPTED PRIVATE KEY"), Violation::PrivateKey),
        (block("OPENSSH PRIVATE KEY"), Violation::PrivateKey),
        (r#"{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB"}"#.to_owned(), Violation::PrivateKey),
        ("<RSAKeyValue><Modulus>AQAB</Modulus><D>AQAB</D></RSAKeyValue>".to_owned(), Violation::PrivateKey),
        (block("CERTIFICATE"), Violation::PublicKeyCertificate),
        (r#" {"kty":"RSA","n":"AQAB","e":"AQAB"}"#.to_owned(), Violation::PublicKeyNotPem),
        ("<RSAKeyValue><Modulus>AQAB</Modulus></RSAKeyValue>".to_owned(), Violation::PublicKeyNotPem),
        ("MIIBIjANBgkqh".to_owned(), Violation::PublicKeyFormat),
        ("-----BEGIN PUBLIC KEY-----\nMIIB".to_owned(), Violation::PublicKeyFormat),
    ] {
        assert_eq!(both(&text), [Err(told); 2], "{text}");
    }
}

#[test]
fn rsa_keys_that_are_weak_are_refused() {
    let honest = Rsa::new().modulus();
    let with = |modulus: &[u8], exponent: &[u8]| both(&pem("RSA PUBLIC KEY", &pkcs1(modulus, exponent)));
    assert_eq!(with(&honest, &[1, 0, 1]), [Ok(()); 2]);
    assert_eq!(with(&honest, &[1, 0, 0, 0, 1]), [Ok(()); 2], "2^32 + 1");
    for (name, exponent) in [
        ("1", &[1][..]),
        ("3", &[3]),
        ("65535", &[0xFF, 0xFF]),
        ("even", &[1, 0, 2]),
        ("33 bits and more", &[2, 0, 0, 0, 1]),
        ("as long as the modulus", &honest),
    ] {
        let small = exponent.len() < 3;
        let refused = if small { Err(Violation::PublicKeyExponent) } else { REFUSED };
        assert_eq!(with(&honest, exponent), [refused; 2], "exponent {name}");
    }
    let mut even = honest.clone();
    *even.last_mut().unwrap() &= 0xFE;
    let mut short = honest.clone();
    short[0] = 0x7F;
    let thousand: Vec<u8> = honest[..128].to_vec();
    let huge = [&honest[..]; 5].concat();
    for (name, modulus) in
        [("even", &even), ("2047 bits", &short), ("1024 bits", &thousand), ("10240 bits", &huge)]
    {
        assert_eq!(with(modulus, &[1, 0, 1]), [REFUSED; 2], "modulus {name}");
    }
    // A multiple of 1999: 256 bytes of a number chosen so that the remainder is taken off again.
    let rest = honest.iter().fold(0_u32, |rest, byte| ((rest << 8) | u32::from(*byte)) % 1999);
    let mut multiple = honest.clone();
    let mut borrow = rest;
    for byte in multiple.iter_mut().rev() {
        let taken = borrow & 0xFF;
        borrow >>= 8;
        let value = u32::from(*byte);
        if value < taken {
            borrow += 1;
        }
        *byte = u8::try_from((value + 256 - taken) % 256).unwrap();
    }
    assert_eq!(with(&multiple, &[1, 0, 1]), [REFUSED; 2], "small factor");
}

/// The product of two primes that follow one another, and of two that are 2^500 apart: anybody finds the first two.
#[test]
fn a_modulus_of_neighbouring_primes_is_refused() {
    let key =
        |modulus: &str| both(&pem("RSA PUBLIC KEY", &pkcs1(&hex::decode(modulus).unwrap(), &[1, 0, 1])));
    for modulus in include_str!("neighbours.txt").lines() {
        assert_eq!(key(modulus), [REFUSED; 2], "{modulus}");
    }
}

#[test]
fn points_that_are_none_or_open_to_all_are_refused() {
    for signer in Signer::all() {
        let Signer::Es256(pair) = &signer else { continue };
        let point = aws_lc_rs::signature::KeyPair::public_key(pair).as_ref().to_vec();
        assert_eq!(both(&spki(P256, &point))[1], Ok(()));
        let mut off = point.clone();
        off[64] ^= 1;
        assert_eq!(both(&spki(P256, &off)), [CURVE, REFUSED], "not on the curve");
        let compressed = [&[2 + (point[64] & 1)], &point[1..33]].concat();
        assert_eq!(both(&spki(P256, &compressed)), [REFUSED; 2], "compressed");
        assert_eq!(both(&spki(P256, &[0])), [REFUSED; 2], "infinity");
        assert_eq!(both(&spki(P384, &point)), [CURVE; 2], "another curve");
    }
    let order_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
    for text in [
        format!("01{}", "00".repeat(31)),
        "00".repeat(32),
        format!("{}80", "00".repeat(31)),
        format!("ec{}7f", "ff".repeat(30)),
        format!("ee{}ff", "ff".repeat(30)),
        order_8.to_owned(),
        order_8.replace("fc05", "fc85"),
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa".to_owned(),
    ] {
        let point = hex::decode(&text).unwrap();
        assert_eq!(both(&spki(ED25519, &point)), [REFUSED; 2], "{text}");
    }
    assert_eq!(both(&spki(ED25519, &[7; 31])), [REFUSED; 2], "31 bytes");
}

#[test]
fn what_is_no_key_is_told_as_such() {
    for text in ["", "no pem", &pem("PUBLIC KEY", b"\x30\x03abc")] {
        assert_eq!(both(text), [NO_KEY; 2], "{text}");
    }
}

#[test]
fn one_key_has_one_fingerprint_however_it_is_written() {
    let rsa = Rsa::new();
    let inner = pkcs1(&rsa.modulus(), &[1, 0, 1]);
    let spellings = [
        rsa.pem.clone(),
        rsa.pem.replace('\n', "\r\n"),
        format!("\n\n{}\n", rsa.pem),
        spki(RSA_NULL, &inner),
        spki(RSA, &inner),
    ];
    let first = read(&spellings[0], Profile::Legacy).unwrap();
    assert_eq!(first.len(), 64);
    for spelling in spellings {
        assert_eq!(read(&spelling, Profile::Legacy).as_ref(), Ok(&first), "{spelling}");
        assert_eq!(read(&spelling, Profile::Strict).as_ref(), Ok(&first), "{spelling}");
    }
}

/// Their private halves are in RFC 8037 and RFC 7515, so that anybody can sign.
#[test]
fn published_keys_are_refused() {
    let bytes = |text: &str| {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        URL_SAFE_NO_PAD.decode(text).unwrap()
    };
    let ed25519 = spki(ED25519, &bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
    let point = [
        vec![4],
        bytes("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        bytes("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
    ];
    for key in [ed25519, spki(P256, &point.concat())] {
        assert_eq!(both(&key), [REFUSED; 2]);
    }
}
