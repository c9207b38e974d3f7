//! A copy of a log that another process may be writing, and a log made from such a copy.
//!
//! Segments are opened before the store is looked at and stay readable when the writer removes them. What they do not
//! hold, the store held before: readers move on only when what they took is kept there.

use super::{
    Behind, Frame, HEADER, Log, MAGIC, Place, behind, first_sequence, read_cursors, read_frame, segment_path, segments,
};
use crate::error::BusError;
use crate::message::Message;
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes put into a new log at once at most.
const MAX_BATCH: usize = 4 << 20;

/// The messages of a log and where its readers stood.
pub struct LogCopy {
    folder: PathBuf,
    readers: Vec<(String, u64)>,
    segments: Vec<Segment>,
}

struct Segment {
    number: u64,
    /// Sequence number of its first frame, where somebody noted it or a frame says so.
    first: u64,
    file: File,
}

impl LogCopy {
    /// Notes where the readers stand, then opens every segment. A folder that is not there is an empty log.
    ///
    /// # Errors
    /// The folder cannot be read, or its segments go faster than they can be opened.
    pub fn begin(folder: &Path) -> Result<Self, BusError> {
        if !folder.exists() {
            return Ok(Self { folder: folder.to_owned(), readers: Vec::new(), segments: Vec::new() });
        }
        for _ in 0..20 {
            let cursors = read_cursors(folder)?;
            let readers = cursors.into_iter().map(|(name, place)| (name, place.sequence)).collect();
            let mut copy = Self { folder: folder.to_owned(), readers, segments: Vec::new() };
            if copy.open_newer()? {
                return Ok(copy);
            }
        }
        Err(BusError::Log("segments of the log go faster than they can be copied; try again".to_owned()))
    }

    /// Opens the segments that were begun meanwhile. `false` when one of them came and went: then the copy has a gap,
    /// and must be begun again.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn complete(&mut self) -> Result<bool, BusError> {
        if self.folder.exists() { self.open_newer() } else { Ok(true) }
    }

    fn open_newer(&mut self) -> Result<bool, BusError> {
        let last = self.segments.last().map(|segment| segment.number);
        let newer = segments(&self.folder)?.into_iter().filter(|number| last.is_none_or(|last| *number > last));
        for (index, number) in newer.enumerate() {
            if index == 0 && last.is_some_and(|last| number != last + 1) {
                return Ok(false);
            }
            let opened = File::open(segment_path(&self.folder, number))
                .map_err(BusError::from)
                .and_then(|file| Ok(Segment { number, first: first_sequence(&self.folder, number)?, file }));
            match opened {
                Ok(segment) => self.segments.push(segment),
                Err(_) if !segment_path(&self.folder, number).exists() => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Where each reader stood: the sequence number of the first message that it had not taken.
    #[must_use]
    pub fn readers(&self) -> &[(String, u64)] {
        &self.readers
    }

    /// How many files are held open.
    #[must_use]
    pub fn segments(&self) -> usize {
        self.segments.len()
    }

    /// Gives every whole message and its sequence number, in order, up to the end as it is now.
    ///
    /// # Errors
    /// A segment is damaged or cannot be read, or what `take` returned.
    pub fn messages<E: From<BusError>>(&self, mut take: impl FnMut(u64, Message) -> Result<(), E>) -> Result<(), E> {
        let mut sequence = self.segments.first().map_or(0, |segment| segment.first);
        for (index, segment) in self.segments.iter().enumerate() {
            let path = segment_path(&self.folder, segment.number);
            let mut magic = [0; MAGIC.len()];
            segment.file.read_exact_at(&mut magic, 0).map_err(BusError::from)?;
            if &magic != MAGIC {
                return Err(BusError::Damaged { file: path, offset: 0 }.into());
            }
            let goes_on = index == 0 || self.segments[index - 1].number + 1 == segment.number;
            if !goes_on {
                sequence = segment.first;
            }
            let mut place = Place { segment: segment.number, offset: HEADER, sequence };
            loop {
                match read_frame(&segment.file, place)? {
                    Frame::Whole(payload, _, next) => {
                        take(place.sequence, Message::decode(&payload)?)?;
                        place = next;
                    }
                    Frame::End => break,
                    Frame::Torn => {
                        let last = index + 1 == self.segments.len();
                        if !last || matches!(behind(&segment.file, place)?, Behind::Damage) {
                            // Unless it has been written meanwhile, and others behind it.
                            if matches!(read_frame(&segment.file, place)?, Frame::Torn) {
                                return Err(BusError::Damaged { file: path, offset: place.offset }.into());
                            }
                            continue;
                        }
                        // The tail is being written just now: nobody was answered for it.
                        break;
                    }
                }
            }
            sequence = place.sequence;
        }
        Ok(())
    }

    /// Whether it holds no message.
    ///
    /// # Errors
    /// A segment cannot be read.
    pub fn is_empty(&self) -> Result<bool, BusError> {
        for segment in &self.segments {
            let place = Place { segment: segment.number, offset: HEADER, sequence: segment.first };
            if !matches!(read_frame(&segment.file, place)?, Frame::End) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether a running process holds the log in `folder`.
///
/// # Errors
/// The folder cannot be read.
pub fn in_use(folder: &Path) -> Result<bool, BusError> {
    let lock = match OpenOptions::new().write(true).open(folder.join("lock")) {
        Ok(lock) => lock,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    Ok(rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_err())
}

/// A new log that is filled with the messages of another one.
pub struct LogFill {
    log: Log,
    readers: usize,
    /// Readers that want no message yet, and the sequence number, in the other log, of the first that each wants.
    behind: Vec<(String, u64)>,
    batch: Vec<Vec<u8>>,
    bytes: usize,
}

impl LogFill {
    /// Makes a log in a new folder for `readers`, each with the sequence number from which on it wants messages.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn create(folder: &Path, readers: Vec<(String, u64)>) -> Result<Self, BusError> {
        let log = Log::open(folder)?;
        for (reader, _) in &readers {
            log.cursor(reader)?;
        }
        Ok(Self { log, readers: readers.len(), behind: readers, batch: Vec::new(), bytes: 0 })
    }

    /// Adds a message that had `sequence` in the other log; one that no reader wants is left out.
    ///
    /// # Errors
    /// The log cannot be written.
    pub async fn add(&mut self, sequence: u64, message: &Message) -> Result<(), BusError> {
        self.move_on(Some(sequence)).await?;
        if self.behind.len() == self.readers {
            return Ok(());
        }
        let payload = message.encode();
        self.bytes += payload.len();
        self.batch.push(payload);
        if self.bytes >= MAX_BATCH { self.flush().await } else { Ok(()) }
    }

    /// Writes what is left; readers that had taken everything stand at the end.
    ///
    /// # Errors
    /// The log cannot be written.
    pub async fn finish(mut self) -> Result<(), BusError> {
        self.move_on(None).await?;
        self.flush().await
    }

    /// Puts the readers whose first message comes now, or that want none, behind what was written so far.
    async fn move_on(&mut self, sequence: Option<u64>) -> Result<(), BusError> {
        let reached = |from: u64| sequence.is_none_or(|sequence| from <= sequence);
        if self.behind.iter().any(|(_, from)| reached(*from)) {
            self.flush().await?;
            for (reader, from) in std::mem::take(&mut self.behind) {
                if reached(from) {
                    self.log.advance(&reader, self.log.end())?;
                } else {
                    self.behind.push((reader, from));
                }
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), BusError> {
        self.bytes = 0;
        self.log.append(std::mem::take(&mut self.batch)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: usize, size: usize) -> Message {
        Message {
            id: number.to_string(),
            topic: "raw.x".into(),
            tenant: "default".into(),
            key: "k".into(),
            trace: "t".into(),
            body: vec![0; size],
        }
    }

    async fn append(log: &Log, numbers: std::ops::Range<usize>, size: usize) {
        for number in numbers {
            log.append(vec![message(number, size).encode()]).await.unwrap();
        }
    }

    fn read_to_end(log: &Log, reader: &str) -> Vec<String> {
        let mut place = log.cursor(reader).unwrap();
        let mut ids = Vec::new();
        while place.sequence < log.end().sequence {
            let (payloads, next) = log.read(place, 100).unwrap();
            ids.extend(payloads.iter().map(|payload| Message::decode(payload).unwrap().id));
            place = next;
        }
        log.advance(reader, place).unwrap();
        ids
    }

    fn copied(copy: &LogCopy) -> Vec<(u64, String)> {
        let mut all = Vec::new();
        copy.messages(|sequence, message| {
            all.push((sequence, message.id));
            Ok::<_, BusError>(())
        })
        .unwrap();
        all
    }

    const LARGE: usize = 6 << 20;

    #[tokio::test]
    async fn a_copy_keeps_what_the_writer_removes_and_takes_what_comes() {
        let folder = tempfile::tempdir().unwrap();
        assert!(LogCopy::begin(&folder.path().join("none")).unwrap().is_empty().unwrap());
        let log = Log::open(folder.path()).unwrap();
        log.cursor("r").unwrap();
        assert!(LogCopy::begin(folder.path()).unwrap().is_empty().unwrap());
        append(&log, 0..3, LARGE).await;
        read_to_end(&log, "r");
        append(&log, 3..4, LARGE).await;
        let mut copy = LogCopy::begin(folder.path()).unwrap();
        assert_eq!(copy.readers(), [("r".to_owned(), 3)]);
        assert!(!copy.is_empty().unwrap() && in_use(folder.path()).unwrap());
        // A third segment is begun, the second goes.
        append(&log, 4..5, LARGE).await;
        read_to_end(&log, "r");
        assert!(copy.complete().unwrap());
        let all = copied(&copy);
        let expected: Vec<(u64, String)> = (2..5).map(|number| (number, number.to_string())).collect();
        assert!(all.ends_with(&expected), "{all:?}");
        drop(log);
        assert!(!in_use(folder.path()).unwrap());
    }

    #[tokio::test]
    async fn a_copy_notices_a_segment_that_came_and_went() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(folder.path()).unwrap();
        log.cursor("r").unwrap();
        append(&log, 0..1, LARGE).await;
        let mut copy = LogCopy::begin(folder.path()).unwrap();
        append(&log, 1..5, LARGE).await;
        read_to_end(&log, "r");
        assert!(!copy.complete().unwrap());
    }

    #[tokio::test]
    async fn damage_in_a_copy_is_an_error_and_a_torn_tail_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(folder.path()).unwrap();
        append(&log, 0..4, LARGE).await;
        let copy = LogCopy::begin(folder.path()).unwrap();
        assert_eq!(copy.segments(), 2);
        let first = HEADER + 4000;
        let second = first + super::super::frame_size(message(0, LARGE).encode().len());
        let spoil = |number, at| {
            let file = OpenOptions::new().write(true).open(segment_path(folder.path(), number)).unwrap();
            file.write_all_at(b"X", at).unwrap();
        };
        let damaged = || matches!(copy.messages(|_, _| Ok::<_, BusError>(())), Err(BusError::Damaged { .. }));
        spoil(2, second);
        assert_eq!(copied(&copy).len(), 3, "the last frame may be under way");
        spoil(1, second);
        assert!(damaged(), "a segment that is full has no tail");
    }

    #[tokio::test]
    async fn damage_before_good_frames_of_the_last_segment_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(folder.path()).unwrap();
        append(&log, 0..3, 5000).await;
        let copy = LogCopy::begin(folder.path()).unwrap();
        let file = OpenOptions::new().write(true).open(segment_path(folder.path(), 1)).unwrap();
        file.write_all_at(b"X", HEADER + 4000).unwrap();
        let result = copy.messages(|_, _| Ok::<_, BusError>(()));
        assert!(matches!(result, Err(BusError::Damaged { .. })), "{result:?}");
    }

    #[tokio::test]
    async fn each_reader_of_a_filled_log_goes_on_where_it_stood() {
        let folder = tempfile::tempdir().unwrap();
        let readers = [("behind", 12), ("ahead", 15), ("done", 99)].map(|(name, from)| (name.to_owned(), from));
        let mut fill = LogFill::create(folder.path(), readers.into()).unwrap();
        for number in 10..18 {
            fill.add(number, &message(usize::try_from(number).unwrap(), 10)).await.unwrap();
        }
        fill.finish().await.unwrap();
        let log = Log::open(folder.path()).unwrap();
        assert_eq!(read_to_end(&log, "behind"), ["12", "13", "14", "15", "16", "17"]);
        assert_eq!(read_to_end(&log, "ahead"), ["15", "16", "17"]);
        assert_eq!(read_to_end(&log, "done"), Vec::<String>::new());
    }
}
