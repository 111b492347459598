//! nginx with a few lines of configuration of a test's own.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::http::serving::free_port;

/// A running nginx; ended when dropped.
pub struct Edge {
    child: Child,
    pub address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Edge {
    /// One with these lines in its `server`; `UPSTREAM` in them is a server's address.
    pub fn with(lines: &str, upstream: SocketAddr) -> Self {
        let port = free_port();
        let lines = lines.replace("UPSTREAM", &upstream.to_string());
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().display();
        // One process, nothing outside of the folder.
        let config = format!(
            "daemon off; master_process off; pid {root}/pid; error_log {root}/errors; events {{ }}\nhttp {{\n  \
             access_log off; client_body_temp_path {root}/body; proxy_temp_path {root}/proxy; fastcgi_temp_path {root}/f;\n  \
             uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;\n  server {{\n    listen 127.0.0.1:{port};\n{lines}\n  }}\n}}\n"
        );
        let path = folder.path().join("nginx.conf");
        std::fs::write(&path, config).unwrap();
        let mut child = Command::new("nginx")
            .env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()))
            .arg("-c")
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "nginx ended: {lines}");
            assert!(started.elapsed() < Duration::from_secs(10), "nginx does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, address, _folder: folder }
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
