//! A small PKI made with the OpenSSL command line: an implementation that shares nothing with ours.
#![allow(dead_code, unreachable_pub, clippy::print_stdout, clippy::unnecessary_wraps)]

pub mod mutate;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use idcheck_certificate::{Crl, CrlStore, Policy, Refusal, TrustStore, Verifier};

/// Extensions of a company card (card.md) in OpenSSL's words.
pub const COMPANY: &str = "\
keyUsage=critical,digitalSignature
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid:always
certificatePolicies=2.16.886.101.0.3.3
2.5.29.9=ASN1:SEQUENCE:sda
[sda]
number=SEQUENCE:number
role=SEQUENCE:role
[number]
oid=OID:2.16.886.1.100.2.101
values=SET:number_values
[number_values]
value=UTF8:99900030
[role]
oid=OID:2.16.886.1.100.2.2
values=SET:role_values
[role_values]
value=UTF8:primary
";
pub const CA: &str = "\
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
";
pub const COMPANY_SUBJECT: &str = "/C=TW/O=測試甲股份有限公司/serialNumber=99900030";
pub const TEXT: &[u8] = b"eyJjaGFsbGVuZ2UiOiJ0ZXN0In0";

/// The time at which everything made by the tests is valid: the clock OpenSSL used, plus a minute.
pub fn now() -> DateTime<Utc> {
    #[allow(clippy::disallowed_methods)]
    let now = std::time::SystemTime::now();
    DateTime::<Utc>::from(now) + Duration::minutes(1)
}

pub struct Pki {
    pub dir: tempfile::TempDir,
}

impl Pki {
    /// Root, company CA, personal CA and one company card `card`, all on P-256, with empty CRLs.
    pub fn new() -> Self {
        let pki = Self { dir: tempfile::tempdir().unwrap() };
        pki.root("root", "/C=TW/O=Test Root");
        pki.issue("company", "/C=TW/O=測試/OU=Company CA", "root", CA, "EC");
        pki.issue("personal", "/C=TW/O=測試/OU=Personal CA", "root", CA, "EC");
        pki.issue("card", COMPANY_SUBJECT, "company", COMPANY, "EC");
        for ca in ["root", "company", "personal"] {
            pki.crl(ca, &[], 30);
        }
        pki
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), contents).unwrap();
    }

    pub fn openssl(&self, arguments: &[&str]) {
        let output = Command::new("openssl").args(arguments).current_dir(self.dir.path()).output().unwrap();
        assert!(
            output.status.success(),
            "openssl {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Makes a key: `EC`, `EC384`, `RSA`, `RSA1024`.
    pub fn key(&self, name: &str, kind: &str) {
        let key = format!("{name}.key");
        let mut arguments = vec!["genpkey", "-out", &key];
        arguments.extend(match kind {
            "EC" => ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
            "EC384" => ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
            "RSA" => ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            "RSA1024" => ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
            other => panic!("unknown key kind {other}"),
        });
        self.openssl(&arguments);
    }

    pub fn root(&self, name: &str, subject: &str) {
        self.key(name, "EC");
        let (key, pem, conf) = (format!("{name}.key"), format!("{name}.pem"), format!("{name}.cnf"));
        self.write(&conf, format!("[req]\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\n[ext]\n{CA}"));
        self.openssl(&[
            "req", "-x509", "-new", "-utf8", "-key", &key, "-subj", subject, "-days", "3650", "-config",
            &conf, "-out", &pem,
        ]);
    }

    /// Makes `name.key` and `name.pem`, issued by `issuer` with these extensions for 365 days.
    pub fn issue(&self, name: &str, subject: &str, issuer: &str, extensions: &str, kind: &str) {
        self.key(name, kind);
        self.certify(name, subject, issuer, extensions, &[]);
    }

    /// Makes `name.pem` for the key there is.
    pub fn certify(&self, name: &str, subject: &str, issuer: &str, extensions: &str, options: &[&str]) {
        let file = |suffix: &str| format!("{name}.{suffix}");
        self.write(&file("ext"), extensions);
        self.write(&file("req.cnf"), "[req]\ndistinguished_name=dn\n[dn]\n");
        self.openssl(&[
            "req",
            "-new",
            "-utf8",
            "-key",
            &file("key"),
            "-subj",
            subject,
            "-config",
            &file("req.cnf"),
            "-out",
            &file("csr"),
        ]);
        let (csr, ext, pem) = (file("csr"), file("ext"), file("pem"));
        let (ca, ca_key) = (format!("{issuer}.pem"), format!("{issuer}.key"));
        let mut arguments =
            vec!["x509", "-req", "-in", &csr, "-extfile", &ext, "-CA", &ca, "-CAkey", &ca_key];
        arguments.extend(["-CAcreateserial", "-days", "365", "-out", &pem]);
        arguments.extend(options);
        self.openssl(&arguments);
    }

    /// Makes `ca.crl`, listing these certificates, current for so many days.
    pub fn crl(&self, ca: &str, revoked: &[&str], days: u32) {
        self.crl_with(ca, &format!("{ca}.crl"), revoked, days, "authorityKeyIdentifier=keyid\n");
    }

    pub fn crl_with(&self, ca: &str, out: &str, revoked: &[&str], days: u32, extensions: &str) {
        self.write(&format!("{ca}.index"), "");
        self.write(&format!("{ca}.index.attr"), "");
        self.write(&format!("{ca}.number"), "01");
        let conf = format!("{ca}.ca.cnf");
        self.write(
            &conf,
            format!(
                "[ca]\ndefault_ca=this\n[this]\ndatabase={ca}.index\ncrlnumber={ca}.number\ndefault_md=sha256\n\
                 crl_extensions=ext\n[ext]\n{extensions}"
            ),
        );
        let (cert, key, days) = (format!("{ca}.pem"), format!("{ca}.key"), days.to_string());
        let common = ["ca", "-config", &conf, "-cert", &cert, "-keyfile", &key, "-crldays", &days];
        for name in revoked {
            let pem = format!("{name}.pem");
            self.openssl(&[&common[..], &["-revoke", &pem]].concat());
        }
        self.openssl(&[&common[..], &["-gencrl", "-out", out]].concat());
    }

    /// Signs [`TEXT`] with OpenSSL's `cms -sign -nodetach` as `signer`, with further options.
    pub fn sign(&self, signer: &str, options: &[&str]) -> Vec<u8> {
        self.write("text", TEXT);
        let (pem, key) = (format!("{signer}.pem"), format!("{signer}.key"));
        let mut arguments = vec!["cms", "-sign", "-binary", "-nodetach", "-in", "text", "-outform", "DER"];
        arguments.extend(["-signer", &pem, "-inkey", &key, "-out", "message"]);
        if !options.contains(&"-md") {
            arguments.extend(["-md", "sha256"]);
        }
        arguments.extend(options);
        self.openssl(&arguments);
        self.read("message")
    }

    /// A trust folder: `root` anchors, `company` is the company CA, `personal` another one.
    pub fn trust_dir(&self) -> PathBuf {
        let dir = self.path("trust");
        for (folder, name) in [("anchors", "root"), ("company-ca", "company"), ("intermediates", "personal")]
        {
            std::fs::create_dir_all(dir.join(folder)).unwrap();
            std::fs::copy(self.path(&format!("{name}.pem")), dir.join(folder).join("ca.pem")).unwrap();
        }
        dir
    }

    pub fn crls(&self, names: &[&str]) -> Vec<Arc<Crl>> {
        names.iter().flat_map(|name| CrlStore::read_file(&self.path(name)).unwrap()).collect()
    }

    pub fn verifier_with(&self, crls: &[&str], policy: Policy) -> Verifier {
        let trust = TrustStore::load(&self.trust_dir()).unwrap();
        Verifier::new(Arc::new(trust), Arc::new(CrlStore::new(self.crls(crls))), policy)
    }

    pub fn verifier(&self) -> Verifier {
        self.verifier_with(&["root.crl", "company.crl", "personal.crl"], Policy::default())
    }

    /// The verdict on a message, now: the company's number or the reason.
    pub fn verdict(&self, message: &[u8]) -> Result<String, Refusal> {
        self.verifier().verify(message, Some(TEXT), now()).map(|facts| facts.unified_business_number)
    }
}

/// Data that the repository carries.
pub fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(path)
}

pub fn ok() -> Result<String, Refusal> {
    Ok("99900030".to_owned())
}
