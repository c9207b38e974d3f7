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

mod backend;
mod backup;
mod blobs;
mod bus;
mod calls;
mod imports;
mod migrations;
mod parked;
mod schedules;
mod store;
mod timers;
mod topology;
mod words;
