//! One writer appends what has gathered and syncs once for all of it.

use crate::load::PAYLOAD;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

type Record = (Arc<[u8]>, SyncSender<()>);

/// How many records per second are on disk when so many threads each wait for theirs.
pub fn appended(folder: &Path, writers: usize, time: Duration) -> anyhow::Result<f64> {
    let (sender, receiver) = sync_channel::<Record>(writers);
    let path = folder.join("log");
    let appender = thread::spawn(move || append(&path, &receiver));
    let record: Arc<[u8]> = PAYLOAD.as_bytes().into();
    let stop = Arc::new(AtomicBool::new(false));
    let start = Instant::now();
    let threads: Vec<_> = (0..writers)
        .map(|_| {
            let (sender, record, stop) = (sender.clone(), Arc::clone(&record), Arc::clone(&stop));
            thread::spawn(move || {
                let (done, wait) = sync_channel(1);
                let mut count = 0_u64;
                while !stop.load(Ordering::Relaxed) {
                    if sender.send((Arc::clone(&record), done.clone())).is_err() || wait.recv().is_err() {
                        break;
                    }
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
    drop(sender);
    appender.join().map_err(|_| anyhow::anyhow!("the appender died"))??;
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
