//! Pages as a browser shows them.

use std::process::Command;

/// The page at an address, after all redirects, as headless Chromium holds it.
pub(crate) fn page(url: &str) -> String {
    let profile = tempfile::tempdir().unwrap();
    let program = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .into_iter()
        .find(|path| std::path::Path::new(path).exists())
        .expect("Chromium is not installed: run tests/run as root, or apt-get install chromium");
    let output = Command::new(program)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--disable-dev-shm-usage", "--lang=en-US", "--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(url)
        .output()
        .unwrap();
    let dom = String::from_utf8(output.stdout).unwrap();
    assert!(dom.contains("<html"), "{}", String::from_utf8_lossy(&output.stderr));
    dom
}
