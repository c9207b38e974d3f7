//! An append-only log on disk.
//!
//! Segments of fixed size are filled with zeros before use, so that a sync writes data and no metadata. A thread of
//! its own writes whatever waits, syncs once, and answers all who waited. Readers follow behind what is synced.
//!
//! A frame is `length: u32, checksum: u32, sequence: u64, payload`, padded to 8 bytes. The checksum (CRC-32C) covers
//! sequence and payload. Zero length ends a segment's data. After a crash the last frames may be torn: nobody was
//! answered for them, they are cut off. A bad frame with good ones behind it is damage, and refused.

pub(crate) mod copy;

use crate::MAX_BATCH_BYTES;
use crate::error::BusError;
use rustix::fs::{FallocateFlags, fallocate};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot, watch};

const MAGIC: &[u8; 8] = b"HRHLOG02";
const HEADER: u64 = 16;
/// Before each payload: length, checksum, sequence number, and the first sequence number that the same sync covers.
const FRAME: u64 = 24;
const SEGMENT: u64 = 16 << 20;
/// Largest payload: a segment must hold it.
pub(crate) const MAX_PAYLOAD: usize = 12 << 20;
/// Bytes written before a sync at most, so that the first in a long group does not wait for the last.
const MAX_GROUP: usize = 4 << 20;

/// A place in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(crate) struct Place {
    /// Number of the segment.
    pub(crate) segment: u64,
    /// Byte in the segment.
    pub(crate) offset: u64,
    /// Sequence number of the next frame.
    pub(crate) sequence: u64,
}

/// The log; cheap to clone.
#[derive(Clone)]
pub(crate) struct Log {
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    appends: mpsc::UnboundedSender<Append>,
    /// Appends that the writer has not finished.
    underway: Arc<AtomicUsize>,
    end: watch::Receiver<Place>,
    /// Where each reader stands; what all have passed is removed.
    cursors: Mutex<BTreeMap<String, Place>>,
    /// Held while segments are removed: readers that pass one at the same moment do not take turns at its files.
    removing: Mutex<()>,
    /// Held so that a second process cannot open the same folder.
    _lock: File,
}

struct Append {
    payloads: Vec<Vec<u8>>,
    done: oneshot::Sender<Result<(), BusError>>,
}

fn segment_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:012}.log"))
}

fn frame_size(payload: usize) -> u64 {
    (FRAME + payload as u64).next_multiple_of(8)
}

fn checksum(sequence: u64, group: u64, payload: &[u8]) -> u32 {
    let numbers = crc32c::crc32c_append(crc32c::crc32c(&sequence.to_le_bytes()), &group.to_le_bytes());
    crc32c::crc32c_append(numbers, payload)
}

/// Writes a segment full of zeros and syncs it; a rename makes it visible at once or not at all.
fn prepare_segment(folder: &Path, number: u64) -> Result<(), BusError> {
    let temporary = folder.join("next.tmp");
    let mut file = File::create(&temporary)?;
    // Reserve first: a full disk must show here, not in the middle of a group.
    if let Err(error) = fallocate(&file, FallocateFlags::empty(), 0, SEGMENT)
        && error != rustix::io::Errno::OPNOTSUPP
    {
        let _ = fs::remove_file(&temporary);
        return Err(std::io::Error::from(error).into());
    }
    let zeros = vec![0_u8; 1 << 20];
    for _ in 0..SEGMENT >> 20 {
        file.write_all(&zeros)?;
    }
    file.write_all_at(MAGIC, 0)?;
    file.write_all_at(&number.to_le_bytes(), 8)?;
    file.sync_all()?;
    fs::rename(&temporary, segment_path(folder, number))?;
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// The numbers of the segments in a folder, in order.
fn segments(folder: &Path) -> Result<Vec<u64>, BusError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if let Some(number) = name.to_str().and_then(|name| name.strip_suffix(".log")).and_then(|n| n.parse().ok()) {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// What stands at a place.
enum Frame {
    /// A whole frame: its payload, the first sequence number of its group, and the place behind it.
    Whole(Vec<u8>, u64, Place),
    /// Nothing yet.
    End,
    /// Bytes that are no whole frame.
    Torn,
}

fn read_frame(file: &File, at: Place) -> Result<Frame, BusError> {
    let mut head = [0_u8; FRAME as usize];
    if at.offset + FRAME > SEGMENT {
        return Ok(Frame::End);
    }
    file.read_exact_at(&mut head, at.offset)?;
    let number = |range: std::ops::Range<usize>| {
        let mut bytes = [0; 8];
        bytes[..range.len()].copy_from_slice(&head[range]);
        u64::from_le_bytes(bytes)
    };
    let (length, wanted, sequence, group) = (number(0..4), number(4..8), number(8..16), number(16..24));
    if length == 0 {
        return Ok(if head == [0; FRAME as usize] { Frame::End } else { Frame::Torn });
    }
    let size = usize::try_from(length).unwrap_or(usize::MAX);
    if size > MAX_PAYLOAD || at.offset + frame_size(size) > SEGMENT || sequence != at.sequence {
        return Ok(Frame::Torn);
    }
    let mut payload = vec![0; size];
    file.read_exact_at(&mut payload, at.offset + FRAME)?;
    if u64::from(checksum(sequence, group, &payload)) != wanted {
        return Ok(Frame::Torn);
    }
    let next = Place { segment: at.segment, offset: at.offset + frame_size(size), sequence: sequence + 1 };
    Ok(Frame::Whole(payload, group, next))
}

/// What stands behind the last whole frame of a segment.
enum Behind {
    Nothing,
    /// Bytes of a group that was never synced as a whole; nobody was told that it is kept.
    Torn,
    /// A whole frame of a later group: the place before it was synced once, and its bytes were changed.
    Damage,
}

fn behind(file: &File, end: Place) -> Result<Behind, BusError> {
    let mut bytes = vec![0; usize::try_from(SEGMENT - end.offset).unwrap_or(0)];
    file.read_exact_at(&mut bytes, end.offset)?;
    let mut found = Behind::Nothing;
    for (index, word) in bytes.chunks_exact(8).enumerate() {
        if word == [0; 8] {
            continue;
        }
        found = Behind::Torn;
        // A frame's sequence number is its second word.
        let Some(offset) = (index as u64 * 8).checked_sub(8) else { continue };
        let sequence = u64::from_le_bytes(word.try_into().unwrap_or_default());
        if sequence > end.sequence && sequence < end.sequence + (SEGMENT / FRAME) {
            let place = Place { segment: end.segment, offset: end.offset + offset, sequence };
            if let Frame::Whole(_, group, _) = read_frame(file, place)?
                && group > end.sequence
            {
                return Ok(Behind::Damage);
            }
        }
    }
    Ok(found)
}

/// Finds the end of a segment's frames.
fn end_of(folder: &Path, number: u64, first_sequence: u64) -> Result<(Place, bool), BusError> {
    let path = segment_path(folder, number);
    let file = File::open(&path)?;
    let length = file.metadata()?.len();
    if length != SEGMENT {
        return Err(BusError::Damaged { file: path, offset: length });
    }
    let mut head = [0; HEADER as usize];
    file.read_exact_at(&mut head, 0)?;
    if &head[..8] != MAGIC {
        return Err(BusError::Damaged { file: path, offset: 0 });
    }
    let mut place = Place { segment: number, offset: HEADER, sequence: first_sequence };
    loop {
        match read_frame(&file, place)? {
            Frame::Whole(_, _, next) => place = next,
            Frame::End | Frame::Torn => {
                return match behind(&file, place)? {
                    Behind::Nothing => Ok((place, false)),
                    Behind::Torn => Ok((place, true)),
                    Behind::Damage => Err(BusError::Damaged { file: path, offset: place.offset }),
                };
            }
        }
    }
}

/// Removes all that stands behind a place.
fn forget_behind(folder: &Path, at: Place) -> Result<(), BusError> {
    for number in segments(folder)?.into_iter().filter(|number| *number > at.segment) {
        fs::remove_file(segment_path(folder, number))?;
    }
    cut_off(folder, at)
}

/// Cuts off what is torn: the rest of the segment is zeros again.
fn cut_off(folder: &Path, at: Place) -> Result<(), BusError> {
    let file = OpenOptions::new().write(true).open(segment_path(folder, at.segment))?;
    file.set_len(at.offset)?;
    file.set_len(SEGMENT)?;
    file.sync_all()?;
    Ok(())
}

impl Log {
    /// Opens the log in `folder`, which it creates, and takes it for this process.
    pub(crate) fn open(folder: &Path) -> Result<Self, BusError> {
        fs::create_dir_all(folder)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(folder.join("lock"))?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| BusError::Log(format!("{} is in use by another process", folder.display())))?;
        let mut cursors = read_cursors(folder)?;
        let mut numbers = segments(folder)?;
        if numbers.is_empty() {
            // Where files were moved away, the log goes on behind all that anybody has read.
            let last = cursors.values().copied().max_by_key(|place| place.sequence).unwrap_or_default();
            prepare_segment(folder, last.segment + 1)?;
            write_first_sequence(folder, last.segment + 1, last.sequence)?;
            numbers.push(last.segment + 1);
        }
        let mut end = Place { segment: numbers[0], offset: HEADER, sequence: first_sequence(folder, numbers[0])? };
        let count = numbers.len();
        for (index, number) in numbers.iter().copied().enumerate() {
            // Sequence numbers are continuous, except where somebody has moved a segment away.
            let begins = if number <= end.segment + 1 { end.sequence } else { first_sequence(folder, number)? };
            let (place, torn) = end_of(folder, number, begins)?;
            if torn {
                if index + 1 < count {
                    return Err(BusError::Damaged { file: segment_path(folder, number), offset: place.offset });
                }
                cut_off(folder, place)?;
            }
            end = place;
        }
        for place in cursors.values_mut() {
            if place.sequence > end.sequence {
                *place = end;
            } else if !numbers.contains(&place.segment) {
                *place = match numbers.iter().find(|number| **number > place.segment) {
                    Some(next) => Place { segment: *next, offset: HEADER, sequence: first_sequence(folder, *next)? },
                    None => end,
                };
            }
        }
        let (sender, receiver) = watch::channel(end);
        let (appends, waiting) = mpsc::unbounded_channel();
        let writer_folder = folder.to_owned();
        let underway = Arc::new(AtomicUsize::new(0));
        let finished = Arc::clone(&underway);
        std::thread::Builder::new()
            .name("hub-log".to_owned())
            .spawn(move || write_loop(&writer_folder, end, waiting, &sender, &finished))?;
        let shared = Shared {
            folder: folder.to_owned(),
            appends,
            underway,
            end: receiver,
            cursors: Mutex::new(cursors),
            removing: Mutex::default(),
            _lock: lock,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Appends payloads in order; when it returns, they are on disk.
    pub(crate) async fn append(&self, payloads: Vec<Vec<u8>>) -> Result<(), BusError> {
        if let Some(large) = payloads.iter().find(|payload| payload.len() > MAX_PAYLOAD) {
            return Err(BusError::TooLarge(large.len()));
        }
        if payloads.is_empty() {
            return Ok(());
        }
        let (done, answer) = oneshot::channel();
        self.submit(payloads, done);
        answer.await.map_err(|_| BusError::Closed)?
    }

    /// Hands payloads to the writer, behind all that were handed to it before; `done` hears when they are on disk.
    /// None may be larger than [`MAX_PAYLOAD`].
    pub(crate) fn submit(&self, payloads: Vec<Vec<u8>>, done: oneshot::Sender<Result<(), BusError>>) {
        self.shared.underway.fetch_add(1, Ordering::SeqCst);
        if let Err(mpsc::error::SendError(append)) = self.shared.appends.send(Append { payloads, done }) {
            self.shared.underway.fetch_sub(1, Ordering::SeqCst);
            let _ = append.done.send(Err(BusError::Closed));
        }
    }

    /// How many appends the writer has not finished.
    pub(crate) fn underway(&self) -> usize {
        self.shared.underway.load(Ordering::SeqCst)
    }

    /// The place behind the last synced frame.
    pub(crate) fn end(&self) -> Place {
        *self.shared.end.borrow()
    }

    /// Tells when the end has moved.
    pub(crate) fn watch_end(&self) -> watch::Receiver<Place> {
        self.shared.end.clone()
    }

    /// Where a reader stands; a new one begins at the oldest frame that is kept.
    pub(crate) fn cursor(&self, reader: &str) -> Result<Place, BusError> {
        let mut cursors = self.shared.cursors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = cursors.get(reader) {
            return Ok(*place);
        }
        let oldest = segments(&self.shared.folder)?.first().copied().unwrap_or(1);
        let place = Place { segment: oldest, offset: HEADER, sequence: first_sequence(&self.shared.folder, oldest)? };
        cursors.insert(reader.to_owned(), place);
        Ok(place)
    }

    /// Moves a reader on and removes segments that all readers have passed. The cursor is not synced: after a power
    /// cut some frames are read again, which readers must bear anyway.
    pub(crate) fn advance(&self, reader: &str, place: Place) -> Result<(), BusError> {
        let folder = &self.shared.folder;
        let temporary = folder.join(format!("{reader}.cursor.tmp"));
        fs::write(&temporary, serde_json::to_vec(&place).unwrap_or_default())?;
        fs::rename(&temporary, folder.join(format!("{reader}.cursor")))?;
        let passed = {
            let mut cursors = self.shared.cursors.lock().unwrap_or_else(PoisonError::into_inner);
            cursors.insert(reader.to_owned(), place);
            cursors.values().map(|place| place.segment).min().unwrap_or(0)
        };
        let _alone = self.shared.removing.lock().unwrap_or_else(PoisonError::into_inner);
        let numbers = segments(folder)?;
        for (index, number) in numbers.iter().copied().enumerate().filter(|(_, number)| *number < passed) {
            // The next segment's first number must be known before this one goes.
            if let Some(next) = numbers.get(index + 1) {
                write_first_sequence(folder, *next, first_sequence(folder, *next)?)?;
            }
            fs::remove_file(segment_path(folder, number))?;
            let _ = fs::remove_file(sequence_path(folder, number));
        }
        Ok(())
    }

    /// Reads up to `max` frames from a place, as far as they are synced; gives the place behind the last one, too.
    pub(crate) fn read(&self, from: Place, max: usize) -> Result<(Vec<Vec<u8>>, Place), BusError> {
        let frames = self.read_within(from, max, MAX_BATCH_BYTES)?;
        let place = frames.last().map_or(from, |(_, place)| *place);
        Ok((frames.into_iter().map(|(payload, _)| payload).collect(), place))
    }

    /// Reads up to `max` frames from a place, as far as they are synced, each with the place behind it; no more once
    /// they have `max_bytes`.
    pub(crate) fn read_within(
        &self,
        from: Place,
        max: usize,
        max_bytes: usize,
    ) -> Result<Vec<(Vec<u8>, Place)>, BusError> {
        let end = self.end();
        let mut place = from;
        let mut frames = Vec::new();
        let mut bytes = 0;
        while place.sequence < end.sequence && frames.len() < max && bytes < max_bytes {
            let path = segment_path(&self.shared.folder, place.segment);
            let file = File::open(&path)?;
            while place.sequence < end.sequence && frames.len() < max && bytes < max_bytes {
                match read_frame(&file, place)? {
                    Frame::Whole(payload, _, next) => {
                        bytes += payload.len();
                        frames.push((payload, next));
                        place = next;
                    }
                    Frame::End if place.segment < end.segment => {
                        place = self.next_segment(place)?;
                        break;
                    }
                    _ => return Err(BusError::Damaged { file: path, offset: place.offset }),
                }
            }
        }
        Ok(frames)
    }

    /// The beginning of the segment behind the one that a place stands in.
    fn next_segment(&self, place: Place) -> Result<Place, BusError> {
        let folder = &self.shared.folder;
        let next = segments(folder)?.into_iter().find(|number| *number > place.segment);
        let next = next.ok_or_else(|| BusError::Log("the log ends too early".to_owned()))?;
        // Without a gap the numbers go on; the segment may hold no frame yet that says so.
        let sequence = if next == place.segment + 1 { place.sequence } else { first_sequence(folder, next)? };
        Ok(Place { segment: next, offset: HEADER, sequence })
    }
}

fn sequence_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:012}.first"))
}

/// The sequence number that a segment begins with.
fn first_sequence(folder: &Path, number: u64) -> Result<u64, BusError> {
    let noted = fs::read_to_string(sequence_path(folder, number)).ok().and_then(|text| text.trim().parse().ok());
    if let Some(noted) = noted {
        return Ok(noted);
    }
    // Without a note, or with one that a power cut left empty, the segment's own first frame says it.
    let file = File::open(segment_path(folder, number))?;
    let mut bytes = [0; 8];
    file.read_exact_at(&mut bytes, HEADER + 8)?;
    Ok(u64::from_le_bytes(bytes))
}

fn write_first_sequence(folder: &Path, number: u64, first: u64) -> Result<(), BusError> {
    let temporary = folder.join("first.tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(first.to_string().as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, sequence_path(folder, number))?;
    Ok(())
}

fn read_cursors(folder: &Path) -> Result<BTreeMap<String, Place>, BusError> {
    let mut cursors = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".cursor"));
        if let Some(name) = name {
            // A power cut may leave it empty; then the reader begins at the oldest frame, which it must bear anyway.
            if let Some(place) = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
                cursors.insert(name.to_owned(), place);
            }
        }
    }
    Ok(cursors)
}

/// The writer's thread.
fn write_loop(
    folder: &Path,
    mut end: Place,
    mut waiting: mpsc::UnboundedReceiver<Append>,
    synced: &watch::Sender<Place>,
    underway: &AtomicUsize,
) {
    let mut file = None;
    let mut bytes = Vec::new();
    while let Some(first) = waiting.blocking_recv() {
        let mut group = vec![first];
        let mut size: usize = group[0].payloads.iter().map(Vec::len).sum();
        while size < MAX_GROUP {
            let Ok(append) = waiting.try_recv() else { break };
            size += append.payloads.iter().map(Vec::len).sum::<usize>();
            group.push(append);
        }
        let before = end;
        let result = write_group(folder, &mut file, &mut end, &group, &mut bytes);
        if result.is_err() {
            // Nobody is answered for this group; what of it reached the disk is written over by the next one.
            end = before;
            file = None;
            if let Err(error) = forget_behind(folder, end) {
                tracing::error!(error = %error, "the message log cannot be cut back after a failed write");
            }
        } else {
            synced.send_replace(end);
        }
        underway.fetch_sub(group.len(), Ordering::SeqCst);
        for append in group {
            let _ = append.done.send(result.clone());
        }
    }
}

fn write_group(
    folder: &Path,
    file: &mut Option<(u64, File)>,
    end: &mut Place,
    group: &[Append],
    bytes: &mut Vec<u8>,
) -> Result<(), BusError> {
    bytes.clear();
    let mut start = *end;
    for payload in group.iter().flat_map(|append| &append.payloads) {
        if end.offset + frame_size(payload.len()) > SEGMENT {
            flush(folder, file, start, bytes)?;
            prepare_segment(folder, end.segment + 1)?;
            *end = Place { segment: end.segment + 1, offset: HEADER, sequence: end.sequence };
            start = *end;
        }
        let length = u32::try_from(payload.len()).map_err(|_| BusError::TooLarge(payload.len()))?;
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&checksum(end.sequence, start.sequence, payload).to_le_bytes());
        bytes.extend_from_slice(&end.sequence.to_le_bytes());
        bytes.extend_from_slice(&start.sequence.to_le_bytes());
        bytes.extend_from_slice(payload);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        *end =
            Place { segment: end.segment, offset: end.offset + frame_size(payload.len()), sequence: end.sequence + 1 };
    }
    flush(folder, file, start, bytes)
}

fn flush(folder: &Path, file: &mut Option<(u64, File)>, at: Place, bytes: &mut Vec<u8>) -> Result<(), BusError> {
    if bytes.is_empty() {
        return Ok(());
    }
    if file.as_ref().is_none_or(|(number, _)| *number != at.segment) {
        *file = Some((at.segment, OpenOptions::new().write(true).open(segment_path(folder, at.segment))?));
    }
    if let Some((_, file)) = file {
        file.write_all_at(bytes, at.offset)?;
        file.sync_data()?;
    }
    bytes.clear();
    Ok(())
}

#[cfg(test)]
mod tests;
