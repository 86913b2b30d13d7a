//! Over TLS: whom the client trusts, and that whom it does not trust hears nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod double;

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use der::{
    Decode, Encode, EncodePem,
    asn1::{BitString, Ia5String, OctetString, UtcTime},
    pem::LineEnding,
};
use double::{Double, builder, question};
use idcheck_client::{Answer, Error, NotSent};
use spki::{AlgorithmIdentifierOwned, ObjectIdentifier, SubjectPublicKeyInfoOwned};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs::default_provider, pki_types::PrivateKeyDer},
};
use x509_cert::{
    Certificate, TbsCertificate, Version,
    ext::{
        Extension,
        pkix::{SubjectAltName, name::GeneralName},
    },
    name::Name,
    time::{Time, Validity},
};

/// RFC 5758 §3.2.
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
/// RFC 5280 §4.2.1.6.
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");

/// A server's certificate, signed by itself, with its key.
struct Identity {
    certificate: Certificate,
    key: Vec<u8>,
}

impl Identity {
    fn of(name: GeneralName) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let public: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
        let algorithm = AlgorithmIdentifierOwned { oid: ECDSA_WITH_SHA256, parameters: None };
        let subject: Name = "CN=idcheck test".parse().unwrap();
        // From 2020 to 2049, as seconds since 1970.
        let time =
            |seconds| Time::UtcTime(UtcTime::from_unix_duration(Duration::from_secs(seconds)).unwrap());
        let names = SubjectAltName(vec![name]).to_der().unwrap();
        let tbs_certificate = TbsCertificate {
            version: Version::V3,
            serial_number: 1_u8.into(),
            signature: algorithm.clone(),
            issuer: subject.clone(),
            validity: Validity { not_before: time(1_577_836_800), not_after: time(2_493_072_000) },
            subject,
            subject_public_key_info: SubjectPublicKeyInfoOwned::from_der(public.as_ref()).unwrap(),
            issuer_unique_id: None,
            subject_unique_id: None,
            extensions: Some(vec![Extension {
                extn_id: SUBJECT_ALT_NAME,
                critical: false,
                extn_value: OctetString::new(names).unwrap(),
            }]),
        };
        let signed = tbs_certificate.to_der().unwrap();
        let signature = key.sign(&SystemRandom::new(), &signed).unwrap();
        let signature = BitString::from_bytes(signature.as_ref()).unwrap();
        let certificate = Certificate { tbs_certificate, signature_algorithm: algorithm, signature };
        Self { certificate, key: key.to_pkcs8v1().unwrap().as_ref().to_vec() }
    }

    fn local() -> Self {
        let address = Ipv4Addr::LOCALHOST.octets();
        Self::of(GeneralName::IpAddress(OctetString::new(address).unwrap()))
    }

    fn pem(&self) -> String {
        self.certificate.to_pem(LineEnding::LF).unwrap()
    }

    /// Ends TLS before the service; gives its URL.
    async fn before(&self, service: &Double) -> String {
        let chain = vec![self.certificate.to_der().unwrap().into()];
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::try_from(self.key.clone()).unwrap())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let behind = service.base_url.trim_start_matches("http://").to_owned();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut behind = TcpStream::connect(&behind).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut behind).await;
            }
        });
        url
    }
}

#[tokio::test]
async fn a_trusted_certificate_for_the_address() {
    let (service, server) = (Double::start(&[]).await, Identity::local());
    let url = server.before(&service).await;
    let client = builder(&url).root_certificates(server.pem()).build().unwrap();
    assert_eq!(client.verify(&question()).await.unwrap().answer, Answer::Match);
    assert_eq!(service.recorded(), 1);
}

#[tokio::test]
async fn any_other_certificate_hears_nothing() {
    let strange = Identity::local();
    let other_name = Identity::of(GeneralName::DnsName(Ia5String::new("idcheck.example").unwrap()));
    let trusted_for_another_name = other_name.pem();
    for (server, roots) in [
        (Identity::local(), None),
        (Identity::local(), Some(strange.pem())),
        (other_name, Some(trusted_for_another_name)),
    ] {
        let service = Double::start(&[]).await;
        let mut client = builder(&server.before(&service).await);
        if let Some(roots) = roots {
            client = client.root_certificates(roots);
        }
        let error = client.build().unwrap().verify(&question()).await.unwrap_err();
        assert!(matches!(error, Error::NotSent(NotSent::Tls)), "{error:?}");
        assert!(service.requests().is_empty());
    }
}
