//! HTTPS: HTTP/1.1 and HTTP/2 over rustls, with a certificate made for these tests alone.

use super::Server;

#[test]
fn one_tls_file_alone_means_plain_http() {
    let server = Server::with(&["-certfile", "/nonexistent/cert.pem"]);
    assert_eq!(server.get("/").status, 200);
}

#[cfg(feature = "tls")]
mod encrypted {
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use http_body_util::{BodyExt as _, Full};
    use hyper::body::Bytes;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::crypto::ring::default_provider;
    use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
    use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
    use tokio::net::TcpStream;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::client::TlsStream;

    use super::super::{Client, Server, jpeg};

    const FLAGS: [&str; 6] = [
        "-certfile",
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls/cert.pem"),
        "-keyfile",
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls/key.pem"),
        "-mount",
        "MOUNT",
    ];

    /// Trusts anybody: who the server is does not matter here.
    #[derive(Debug)]
    struct Anybody;

    impl ServerCertVerifier for Anybody {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, rustls::Error> {
            Ok(ServerCertVerified::assertion())
        }
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Ok(HandshakeSignatureValid::assertion())
        }
        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Ok(HandshakeSignatureValid::assertion())
        }
        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            default_provider().signature_verification_algorithms.supported_schemes()
        }
    }

    async fn connect(address: SocketAddr, alpn: &[u8]) -> TlsStream<TcpStream> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody))
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }

    fn run<T>(test: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
    }

    #[test]
    fn http_1_is_served() {
        let server = Server::with(&FLAGS);
        run(async {
            let stream = connect(server.address, b"http/1.1").await;
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            for width in [20, 40] {
                let uri = format!("/resize?width={width}&file=a.jpg");
                let request =
                    hyper::Request::get(uri).header("host", "localhost").body(Full::<Bytes>::default()).unwrap();
                let answer = sender.send_request(request).await.unwrap();
                assert_eq!(
                    (answer.status(), answer.headers()["content-type"].as_bytes()),
                    (hyper::StatusCode::OK, &b"image/jpeg"[..])
                );
                let _ = answer.into_body().collect().await.unwrap();
            }
        });
    }

    #[test]
    fn http_2_is_served_many_requests_at_once() {
        let server = Server::with(&FLAGS);
        run(async {
            let stream = connect(server.address, b"h2").await;
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
            let (sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            let asks = (0..8).map(|i| {
                let mut sender = sender.clone();
                async move {
                    let uri = format!("https://localhost/resize?width={}", 20 + i);
                    let request = hyper::Request::post(uri).body(Full::new(Bytes::from(jpeg(80, 60)))).unwrap();
                    let answer = sender.send_request(request).await.unwrap();
                    assert_eq!(answer.status(), hyper::StatusCode::OK);
                    answer.into_body().collect().await.unwrap().to_bytes().len()
                }
            });
            assert!(futures_util::future::join_all(asks).await.into_iter().all(|length| length > 100));
        });
    }

    /// The client's window is small: the answer is under way until it reads.
    #[test]
    fn writing_is_timed_over_http_2_until_the_client_has_read() {
        use super::super::metrics::value;
        use super::super::serving::{Serving, free_port};

        let admin = free_port();
        let port = admin.to_string();
        let flags = ["-a", "127.0.0.1", "-p", "0", "-admin-address", "127.0.0.1", "-admin-port", &port];
        let serving = Serving::with(&[&flags[..], &FLAGS[..4], &["-mount", "tests/fixtures"]].concat(), &[]);
        let told = |what: &str| {
            let page = Client::connect(([127, 0, 0, 1], admin).into()).request("GET", "/metrics", &[], None).text();
            value(&page, &format!("phasor_stage_duration_seconds_{what}{{stage=\"write\"}}"))
        };
        run(async {
            let stream = connect(serving.address(), b"h2").await;
            let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
            builder.initial_stream_window_size(1 << 10);
            let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            let uri = "https://localhost/resize?width=120&type=png&file=photo.jpg";
            let ask = hyper::Request::get(uri).body(Full::<Bytes>::default()).unwrap();
            let answer = sender.send_request(ask).await.unwrap();
            tokio::time::sleep(Duration::from_millis(400)).await;
            assert!(told("count") < 1.0, "nobody has read it yet");
            assert!(answer.into_body().collect().await.unwrap().to_bytes().len() > 4096);
            let end = Instant::now() + Duration::from_secs(5);
            while told("count") < 1.0 && Instant::now() < end {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        assert!(told("count") > 0.5 && told("sum") > 0.35, "{} in {} s", told("count"), told("sum"));
    }

    /// Frames of an idle HTTP/2 connection are no slow head.
    #[test]
    fn an_idle_http_2_connection_is_kept_for_its_time_and_then_closed() {
        let server = Server::adjusted(&FLAGS, |config| {
            config.server.head_timeout = Duration::from_millis(300);
            config.server.write_timeout = Some(Duration::from_millis(1500));
        });
        run(async {
            let stream = connect(server.address, b"h2").await;
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
            let connection = tokio::spawn(connection);
            let ask = || hyper::Request::get("https://localhost/").body(Full::<Bytes>::default()).unwrap();
            assert!(sender.send_request(ask()).await.unwrap().status().is_success());
            tokio::time::sleep(Duration::from_millis(900)).await;
            assert!(sender.send_request(ask()).await.unwrap().status().is_success());
            let since = Instant::now();
            let _ = tokio::time::timeout(Duration::from_secs(10), connection).await.expect("closed");
            assert!(since.elapsed() > Duration::from_millis(1000) && since.elapsed() < Duration::from_secs(5));
        });
    }

    #[test]
    fn a_handshake_that_stops_is_cut() {
        let server = Server::adjusted(&FLAGS, |config| config.server.head_timeout = Duration::from_millis(300));
        let mut client = Client::connect(server.address);
        client.send(&[0x16, 0x03, 0x01]);
        let since = Instant::now();
        let _ = client.rest();
        assert!(since.elapsed() < Duration::from_secs(3));
    }
}
