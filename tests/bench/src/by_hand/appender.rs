//! One writer appends what has gathered and syncs once for all of it.

use crate::load::PAYLOAD;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

type Record = (Arc<[u8]>, SyncSender<()>);

/// The writer of a file. It ends when all handles are dropped.
#[derive(Clone)]
pub struct Appender(SyncSender<Record>);

/// One who appends, and waits each time until it is on disk.
pub struct Handle {
    appender: Appender,
    done: SyncSender<()>,
    wait: Receiver<()>,
}

impl Appender {
    pub fn start(folder: &Path, writers: usize) -> (Self, JoinHandle<anyhow::Result<()>>) {
        let (sender, receiver) = sync_channel::<Record>(writers);
        let path = folder.join("log");
        (Self(sender), thread::spawn(move || append(&path, &receiver)))
    }

    pub fn handle(&self) -> Handle {
        let (done, wait) = sync_channel(1);
        Handle { appender: self.clone(), done, wait }
    }
}

impl Handle {
    /// Returns when the record is on disk; `false` when the writer has ended.
    pub fn append(&self, record: &Arc<[u8]>) -> bool {
        self.appender.0.send((Arc::clone(record), self.done.clone())).is_ok() && self.wait.recv().is_ok()
    }
}

/// How many records per second are on disk when so many threads each wait for theirs.
pub fn appended(folder: &Path, writers: usize, time: Duration) -> anyhow::Result<f64> {
    let (appender, writer) = Appender::start(folder, writers);
    let record: Arc<[u8]> = PAYLOAD.as_bytes().into();
    let stop = Arc::new(AtomicBool::new(false));
    let start = Instant::now();
    let threads: Vec<_> = (0..writers)
        .map(|_| {
            let (handle, record, stop) = (appender.handle(), Arc::clone(&record), Arc::clone(&stop));
            thread::spawn(move || {
                let mut count = 0_u64;
                while !stop.load(Ordering::Relaxed) && handle.append(&record) {
                    count += 1;
                }
                count
            })
        })
        .collect();
    thread::sleep(time);
    stop.store(true, Ordering::Relaxed);
    let mut count = 0;
    for thread in threads {
        count += thread.join().map_err(|_| anyhow::anyhow!("a writer died"))?;
    }
    let elapsed = start.elapsed();
    drop(appender);
    writer.join().map_err(|_| anyhow::anyhow!("the appender died"))??;
    Ok(count as f64 / elapsed.as_secs_f64())
}

fn append(path: &Path, records: &Receiver<Record>) -> anyhow::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let mut waiting = Vec::new();
    let mut bytes = Vec::new();
    while let Ok(first) = records.recv() {
        waiting.push(first);
        waiting.extend(records.try_iter());
        bytes.clear();
        for (record, _) in &waiting {
            bytes.extend_from_slice(record);
        }
        file.write_all(&bytes)?;
        file.sync_data()?;
        for (_, done) in waiting.drain(..) {
            let _ = done.send(());
        }
    }
    Ok(())
}
