//! Servers to ask, and pictures to ask for.

use std::net::SocketAddr;

use phasor::codecs::{EncodeSpec, Metadata, OutputFormat, encode};
use phasor::config::{Config, args};
use phasor::image::{ImageBuf, PixelFormat, Size};
use phasor::server::{Running, Signals, start};

use super::{Answer, Client};

/// A server in this process on a port of its own; stopped when dropped.
pub struct Server {
    running: Option<Running>,
    pub address: SocketAddr,
    /// Its mount, kept as long as it serves.
    _mount: tempfile::TempDir,
}

impl Server {
    /// A server with these flags. `MOUNT` in a flag is the path of a fresh directory with `a.jpg` and `a.png` in it.
    pub fn with(flags: &[&str]) -> Self {
        Self::adjusted(flags, |_| {})
    }

    /// As [`Server::with`], with settings that have no flag.
    pub fn adjusted(flags: &[&str], adjust: impl FnOnce(&mut Config)) -> Self {
        let mount = tempfile::tempdir().unwrap();
        std::fs::write(mount.path().join("a.jpg"), jpeg(80, 60)).unwrap();
        std::fs::write(mount.path().join("a.png"), png(80, 60)).unwrap();
        std::fs::write(mount.path().join("text.txt"), "no picture at all, only text").unwrap();
        let mut all = vec!["-a=127.0.0.1".to_owned(), "-p=0".to_owned(), "-log-level=none".to_owned()];
        all.extend(flags.iter().map(|flag| flag.replace("MOUNT", mount.path().to_str().unwrap())));
        let (_, parsed) = args::parse(all, &|_| None).unwrap();
        let mut config = Config::from_args(&parsed).unwrap();
        adjust(&mut config);
        let running = start(config, Signals::Ignored).unwrap();
        let address = running.address;
        Self { running: Some(running), address, _mount: mount }
    }

    /// As [`Server::adjusted`], with an admin port.
    pub fn with_admin(flags: &[&str], adjust: impl FnOnce(&mut Config)) -> Self {
        Self::adjusted(flags, |config| {
            config.server.admin = Some(phasor::server::Admin { address: "127.0.0.1".into(), port: 0 });
            adjust(config);
        })
    }

    pub fn admin(&self) -> SocketAddr {
        self.running.as_ref().unwrap().admin_address.unwrap()
    }

    pub fn stop(&self) {
        self.running.as_ref().unwrap().stop();
    }

    #[cfg(feature = "gpu")]
    pub fn drill_gpus(&self, drill: phasor::engine::Drill) {
        self.running.as_ref().unwrap().drill_gpus(drill);
    }

    pub fn wait(mut self) {
        self.running.take().unwrap().wait().unwrap();
    }

    pub fn get(&self, target: &str) -> Answer {
        self.request("GET", target, &[], None)
    }

    pub fn post(&self, target: &str, body: &[u8]) -> Answer {
        self.request("POST", target, &[("Content-Type", "image/jpeg")], Some(body))
    }

    pub fn request(&self, method: &str, target: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        Client::connect(self.address).request(method, target, headers, body)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
        }
    }
}

fn gradient(width: u32, height: u32) -> ImageBuf {
    let size = Size::new(width, height).unwrap();
    let mut samples = Vec::new();
    for y in 0..height {
        for x in 0..width {
            samples.extend([(x * 255 / width) as u8, (y * 255 / height) as u8, 128]);
        }
    }
    ImageBuf::new(size, PixelFormat::Rgb8, samples).unwrap()
}

/// A JPEG of a gradient.
pub fn jpeg(width: u32, height: u32) -> Vec<u8> {
    encode(&gradient(width, height), &Metadata::default(), &EncodeSpec::new(OutputFormat::Jpeg)).unwrap()
}

/// A PNG of a gradient.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    encode(&gradient(width, height), &Metadata::default(), &EncodeSpec::new(OutputFormat::Png)).unwrap()
}
