//! What every backend must do, run on each of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// Runs the cases of a file's `contract` on both stores.
macro_rules! on_both_stores {
    ($($case:ident),+ $(,)?) => {
        on_both_stores!(@ sqlite; $($case),+);
        on_both_stores!(@ postgres; $($case),+);
    };
    (@ $backend:ident; $($case:ident),+) => {
        mod $backend {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::contract::$case(crate::backend::$backend().await).await;
            })+
        }
    };
}

mod audit;
mod backend;
mod backup;
mod bitemporal;
mod blobs;
mod bus;
mod calls;
mod desk;
mod directory;
mod doors;
mod feed;
mod imports;
mod match_keys;
mod migrations;
mod parked;
mod reading;
mod requests;
mod schedules;
mod scim;
mod store;
mod tenants;
mod timers;
mod topology;
mod units;
mod words;
