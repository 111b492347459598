//! What a server holds once the large pictures are gone.

use std::time::{Duration, Instant};

use super::serving::Serving;

/// A PNG of one colour: few bytes, many pixels.
fn plain(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&vec![90; (width * height * 3) as usize]).unwrap();
    writer.finish().unwrap();
    file
}

fn resident_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    status.split(' ').nth(1).unwrap().parse::<u64>().unwrap() / 256
}

#[test]
fn freed_memory_goes_back_to_the_system() {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        eprintln!("SKIPPED: only glibc keeps freed memory");
        return;
    }
    let serving = Serving::with(&["-p", "0", "-cpus", "3"], &[]);
    // 9 MB each once decoded: small enough for the allocator to keep, from the second on.
    let body = plain(2000, 1500);
    let most = std::sync::atomic::AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..2 {
                    let headers = [("Content-Type", "image/png")];
                    let answer = serving.client().request("POST", "/resize?width=700&type=png", &headers, Some(&body));
                    assert_eq!(answer.status, 200);
                    most.fetch_max(resident_mib(serving.child.id()), std::sync::atomic::Ordering::Relaxed);
                }
            });
        }
    });
    let most = most.into_inner();
    let started = Instant::now();
    loop {
        let now = resident_mib(serving.child.id());
        if now + 10 <= most && now <= most * 2 / 3 {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(15), "{now} MiB are still held, {most} MiB at most");
        std::thread::sleep(Duration::from_millis(200));
    }
}
