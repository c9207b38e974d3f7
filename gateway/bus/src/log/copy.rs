//! A copy of a log that another process may be writing, and a log made from such a copy.
//!
//! Segments are opened before the store is looked at and stay readable when the writer removes them. What they do not
//! hold, the store held before: readers move on only when what they took is kept there.

use super::{Frame, HEADER, Log, MAGIC, Place, first_sequence, read_cursors, read_frame, segment_path, segments};
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
                    // The last one's tail is being written just now: nobody was answered for it.
                    Frame::Torn if index + 1 == self.segments.len() => break,
                    Frame::Torn => {
                        return Err(BusError::Damaged { file: path, offset: place.offset }.into());
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
