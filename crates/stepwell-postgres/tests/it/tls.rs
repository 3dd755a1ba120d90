//! Connections under TLS.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use stepwell_postgres::testing::{Cluster, Durability, Place, place};
use stepwell_postgres::{Options, Postgres};

use crate::members::{begin, write};

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Starts a cluster that shows a certificate for 127.0.0.1.
fn cluster(authority: &CertifiedIssuer<'static, KeyPair>) -> Cluster {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let mut cluster = Cluster::start(Durability::None).unwrap();
    cluster.stop();
    cluster.put("server.crt", &certificate.pem()).unwrap();
    cluster.put("server.key", &key.serialize_pem()).unwrap();
    cluster.set("ssl", "on").unwrap();
    cluster.resume().unwrap();
    cluster
}

/// What is written goes through TLS where the server has it, and is checked where that is asked for.
#[test]
fn a_server_is_known_by_its_certificate() {
    if place().unwrap().is_none() {
        return;
    }
    let (trusted, other) = (authority(), authority());
    let cluster = cluster(&trusted);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, authority: &CertifiedIssuer<'static, KeyPair>| {
        let file = folder.path().join(name);
        std::fs::write(&file, authority.pem()).unwrap();
        file
    };
    let (trusted, other) = (file("trusted.pem", &trusted), file("other.pem", &other));
    let with = |mode: &str, file: Option<&Path>| {
        let url = cluster.url().replace("sslmode=disable", &format!("sslmode={mode}"));
        Options { ca_file: file.map(Path::to_owned), ..Options::new(url) }
    };
    let desk = Place::of(Options::new(cluster.url()));
    for (nonce, (mode, file)) in
        [("verify-full", Some(&trusted)), ("require", Some(&trusted)), ("prefer", None)]
            .into_iter()
            .enumerate()
    {
        let options = with(mode, file.map(|file| &**file));
        let store = Postgres::join(&options, "a", nonce as u128).unwrap();
        write(&store, &mut begin(nonce as u64)).unwrap();
        let plain = "SELECT pid FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
            WHERE NOT ssl AND application_name = 'stepwell' AND pid <> pg_backend_pid()";
        assert!(desk.sql(plain).unwrap().is_empty(), "{mode}: every connection is encrypted");
    }
    for (mode, file) in [("verify-full", Some(&other)), ("require", None)] {
        let options = with(mode, file.map(|file| &**file));
        let error = Postgres::join(&options, "a", 9).err().unwrap().to_string();
        assert!(error.contains("certificate") || error.contains("authority"), "{mode}: {error}");
    }
}
