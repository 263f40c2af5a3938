//! Name resolution, sockets and TLS.

use std::io::Write as _;
use std::path::PathBuf;

use llmscope_harness::{Plan, Target, TargetOptions, VendorKind};
use rcgen::{CertifiedKey, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

use super::server::{Server, Step};
use super::{assert_failed, assert_good, good, ms, number, requests, run, target, target_at, unkept};

#[test]
fn connection_refused() {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let report = run(target_at(&format!("http://127.0.0.1:{port}/v1")), requests(3));
    for record in &report.records {
        let words = assert_failed(record, "connection_refused", None);
        assert!(words.contains(&port.to_string()), "{words}");
    }
    assert_eq!(report.health.connections_opened, 0);
}

#[test]
fn unknown_host_name() {
    let record = run(target_at("http://no-such-host.invalid/v1"), requests(1)).only();
    let words = assert_failed(&record, "dns", None);
    assert!(words.contains("no-such-host.invalid"), "{words}");
}

#[test]
fn a_server_that_never_accepts_the_handshake() {
    // The server reads the bytes and sends no TLS response.
    let server = Server::always(vec![Step::Hang]);
    let plan = Plan { connect_timeout: ms(300), ..requests(1) };
    let record = run(target_at(&format!("https://127.0.0.1:{}/v1", server.port)), plan).only();
    assert!(assert_failed(&record, "timeout", None).contains("300ms"));
}

#[test]
fn plain_text_where_tls_was_expected() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let speak = move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").unwrap();
        let _ = std::io::copy(&mut socket, &mut std::io::sink());
    };
    let thread = std::thread::spawn(speak);
    let record = run(target_at(&format!("https://127.0.0.1:{port}/v1")), unkept(requests(1))).only();
    assert_failed(&record, "tls", None);
    thread.join().unwrap();
}

#[test]
fn tls_where_plain_text_was_expected() {
    let (config, _) = certificate();
    let server = Server::with_tls(config, good());
    let record = run(target(&server), requests(1)).only();
    assert_failed(&record, "malformed", None);
}

/// A self-signed certificate, as a server configuration and as a PEM file.
fn certificate() -> (ServerConfig, String) {
    let CertifiedKey { cert, signing_key }: CertifiedKey<KeyPair> =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (config, cert.pem())
}

fn trusting(server: &Server, roots: Option<PathBuf>) -> Target {
    let url = Some(format!("https://127.0.0.1:{}/v1", server.port));
    let options = TargetOptions { url, model: Some("m".to_owned()), roots, ..TargetOptions::default() };
    Target::new(VendorKind::OpenAi, options).unwrap()
}

#[test]
fn a_self_signed_certificate_is_refused() {
    let (config, _) = certificate();
    let server = Server::with_tls(config, good());
    let record = run(trusting(&server, None), requests(1)).only();
    let words = assert_failed(&record, "tls", None).to_lowercase();
    assert!(words.contains("certificate"), "{words}");
    assert_eq!(server.requests().len(), 0, "no request was sent");
}

#[test]
fn a_certificate_with_a_trusted_root_is_accepted() {
    let (config, pem) = certificate();
    let server = Server::with_tls(config, good());
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(pem.as_bytes()).unwrap();
    let target = || trusting(&server, Some(file.path().to_owned()));
    for record in run(target(), unkept(requests(2))).records {
        assert_good(&record);
        let parts = ["dns_s", "tcp_s", "tls_s"].map(|name| number(&record, name).unwrap());
        assert!(parts[2] > 0.0);
        assert!((parts.iter().sum::<f64>() - record.connect_s.unwrap()).abs() < 1e-9);
        assert!(record.ttft_s.unwrap() > record.connect_s.unwrap());
    }
    assert_eq!(server.connections(), 2);
    let report = run(target(), requests(2));
    for record in &report.records {
        assert_good(record);
        assert_eq!((record.connect_s, number(record, "tls_s")), (None, None), "the connection was open before");
    }
    assert!(report.health.tls_p50_s.unwrap() > 0.0 && report.health.connect_max_s >= report.health.tls_p50_s);
    assert_eq!(server.connections(), 3);
}

#[test]
fn unreadable_certificates_are_reported_before_any_request() {
    let server = Server::always(good());
    let refused = trusting(&server, Some(PathBuf::from("no-such-file.pem"))).transport(ms(500), true);
    let words = refused.unwrap_err().to_string();
    assert!(words.contains("no-such-file.pem"), "{words}");
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_server_that_closes_during_the_handshake() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || drop(listener.accept().unwrap()));
    let record = run(target_at(&format!("https://127.0.0.1:{port}/v1")), unkept(requests(1))).only();
    assert_failed(&record, "tls", None);
    thread.join().unwrap();
}
