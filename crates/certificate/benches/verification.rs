//! Full verification on one core: CMS, chain, and a CRL of 100,000 entries, beside OpenSSL's `CMS_verify` on the same input.
//!
//! Prints one JSON object a line: `{"name","value","unit"}`, and what it is held against.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::disallowed_methods)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use idcheck_certificate::Policy;
use support::{COMPANY, COMPANY_SUBJECT, Pki, TEXT, now};

const ENTRIES: u32 = 100_000;
const THEIRS: &str = "the same by OpenSSL's CMS_verify";
const TIME: Duration = Duration::from_secs(3);

fn main() {
    let pki = Pki::new();
    pki.issue("rsa", COMPANY_SUBJECT, "company", COMPANY, "RSA");
    let message = pki.sign("rsa", &[]);
    long_list(&pki);

    let start = Instant::now();
    let verifier = pki.verifier_with(&["root.crl", "long.crl"], Policy::default());
    report("read a CRL of 100,000 entries", start.elapsed().as_secs_f64() * 1e3, "ms", None);

    let time = now();
    let (mut count, start) = (0_u32, Instant::now());
    while start.elapsed() < TIME {
        verifier.verify(&message, Some(TEXT), time).unwrap();
        count += 1;
    }
    report(
        "full verification, CRL of 100,000 entries",
        f64::from(count) / start.elapsed().as_secs_f64(),
        "1/s",
        Some(THEIRS),
    );
    openssl(&pki);
}

fn report(name: &str, value: f64, unit: &str, against: Option<&str>) {
    let value = (value * 10.0).round() / 10.0;
    println!("{}", serde_json::json!({ "name": name, "value": value, "unit": unit, "against": against }));
}

/// Makes `long.crl` of the company CA by OpenSSL, out of an index of revoked serial numbers.
fn long_list(pki: &Pki) {
    let mut index = String::new();
    for serial in 0..ENTRIES {
        writeln!(index, "R\t491231235959Z\t250101000000Z\t7F{serial:014X}\tunknown\t/CN={serial}").unwrap();
    }
    pki.write("company.index", index);
    pki.write("company.number", "02");
    let arguments =
        "ca -config company.ca.cnf -cert company.pem -keyfile company.key -crldays 30 -gencrl -out long.crl";
    pki.openssl(&arguments.split_whitespace().collect::<Vec<_>>());
}

/// The same by libcrypto, called in a loop by a little C program; left out with a line where there is no C compiler.
fn openssl(pki: &Pki) {
    pki.write("bench.c", include_str!("cms_verify.c"));
    pki.write("trusted.pem", [pki.read("root.pem"), pki.read("company.pem")].concat());
    let compile = Command::new("cc")
        .args("-O2 -o bench bench.c -lcrypto".split(' '))
        .current_dir(pki.dir.path())
        .output();
    if !compile.is_ok_and(|output| output.status.success()) {
        println!("skipped: OpenSSL's CMS_verify, no C compiler or no headers");
        return;
    }
    let output = Command::new(pki.path("bench"))
        .args(["message", "trusted.pem", "root.crl", "long.crl"])
        .current_dir(pki.dir.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rate: f64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    report(THEIRS, rate, "1/s", None);
}
