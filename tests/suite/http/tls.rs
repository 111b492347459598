//! HTTPS, by the only TLS client that is surely there: none. What can be seen without one is tested here.

use super::Server;

#[test]
fn one_tls_file_alone_means_plain_http() {
    let server = Server::with(&["-certfile", "/nonexistent/cert.pem"]);
    assert_eq!(server.get("/").status, 200);
}
