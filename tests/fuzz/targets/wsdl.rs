//! Descriptions of services: any bytes as the first document, and the rest of them as what it imports.
//!
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz wsdl`
#![no_main]

use hub_soap::wsdl::{Allowed, Documents};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut parts = data.split(|byte| *byte == 0);
    let mut documents = Documents::of("a/b.wsdl", Allowed::default());
    while documents.wanted().is_some() {
        if documents.bring(parts.next().unwrap_or_default()).is_err() {
            return;
        }
    }
    if let Ok(service) = documents.read() {
        for named in service.named() {
            let _ = (service.sample_request(named.operation), service.out_mapping("v", &named));
        }
        let _ = service.manifest("v");
    }
});
