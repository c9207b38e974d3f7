use super::*;

fn payloads(log: &Log, reader: &str) -> Vec<String> {
    let (payloads, _) = log.read(log.cursor(reader).unwrap(), usize::MAX).unwrap();
    payloads.into_iter().map(|p| String::from_utf8_lossy(&p[..p.len().min(8)]).into_owned()).collect()
}

#[tokio::test]
async fn what_was_appended_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path()).unwrap();
    log.append(vec![b"a".to_vec(), b"b".to_vec()]).await.unwrap();
    log.append(vec![b"c".to_vec()]).await.unwrap();
    assert!(Log::open(folder.path()).is_err(), "a second process is kept out");
    drop(log);
    let log = Log::open(folder.path()).unwrap();
    assert_eq!(payloads(&log, "r"), ["a", "b", "c"]);
    log.append(vec![b"d".to_vec()]).await.unwrap();
    assert_eq!(payloads(&log, "r"), ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn a_torn_tail_is_cut_off_and_damage_before_good_frames_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path()).unwrap();
    for payload in ["first", "second", "third"] {
        log.append(vec![payload.into()]).await.unwrap();
    }
    drop(log);
    let path = segment_path(folder.path(), 1);
    let whole = fs::read(&path).unwrap();
    // The third frame half written.
    let third = HEADER + frame_size(5) + frame_size(6);
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.write_all_at(&[0; 3], third + FRAME + 2).unwrap();
    let log = Log::open(folder.path()).unwrap();
    assert_eq!(payloads(&log, "r"), ["first", "second"]);
    log.append(vec![b"fourth".to_vec()]).await.unwrap();
    assert_eq!(payloads(&log, "r"), ["first", "second", "fourth"]);
    drop(log);
    // The second frame changed, the third whole.
    fs::write(&path, &whole).unwrap();
    file.write_all_at(b"X", HEADER + frame_size(5) + FRAME).unwrap();
    assert!(matches!(Log::open(folder.path()).err(), Some(BusError::Damaged { .. })));
}

#[tokio::test]
async fn a_group_that_a_power_cut_left_in_pieces_is_cut_off_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path()).unwrap();
    log.append(vec![b"first".to_vec()]).await.unwrap();
    log.append(vec![b"a".to_vec(), b"b".to_vec(), b"c".to_vec()]).await.unwrap();
    drop(log);
    // Pages reach the disk in any order: the group's first frame did not, the others did.
    let second = HEADER + frame_size(5);
    let path = segment_path(folder.path(), 1);
    let zeros = vec![0; usize::try_from(frame_size(1)).unwrap()];
    OpenOptions::new().write(true).open(&path).unwrap().write_all_at(&zeros, second).unwrap();
    let log = Log::open(folder.path()).unwrap();
    assert_eq!(payloads(&log, "r"), ["first"]);
    log.append(vec![b"next".to_vec()]).await.unwrap();
    drop(log);
    assert_eq!(payloads(&Log::open(folder.path()).unwrap(), "r"), ["first", "next"]);
}

#[tokio::test]
async fn empty_notes_are_no_damage_and_a_log_moved_away_begins_behind_what_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path()).unwrap();
    log.append(vec![b"a".to_vec(), b"b".to_vec()]).await.unwrap();
    let (_, place) = log.read(log.cursor("r").unwrap(), 9).unwrap();
    log.advance("r", place).unwrap();
    drop(log);
    fs::remove_file(segment_path(folder.path(), 1)).unwrap();
    fs::write(folder.path().join("other.cursor"), "").unwrap();
    let log = Log::open(folder.path()).unwrap();
    log.append(vec![b"c".to_vec()]).await.unwrap();
    assert_eq!(payloads(&log, "r"), ["c"], "what was accepted afterwards is read");
    assert_eq!(payloads(&log, "other"), ["c"]);
    let (_, place) = log.read(log.cursor("r").unwrap(), 9).unwrap();
    log.advance("r", place).unwrap();
    drop(log);
    fs::write(sequence_path(folder.path(), 2), "").unwrap();
    let log = Log::open(folder.path()).unwrap();
    log.append(vec![b"d".to_vec()]).await.unwrap();
    assert_eq!(payloads(&log, "r"), ["d"]);
}

#[tokio::test]
async fn readers_that_pass_a_segment_at_the_same_moment_all_move_on() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path()).unwrap();
    let readers: Vec<String> = (0..32).map(|number| format!("reader-{number}")).collect();
    let starts: Vec<Place> = readers.iter().map(|reader| log.cursor(reader).unwrap()).collect();
    for n in 0..13_u8 {
        log.append(vec![vec![n; 5 << 20]]).await.unwrap();
    }
    let behind = |place: Place| {
        let (mut place, mut read) = (place, 1);
        while read > 0 {
            let (frames, next) = log.read(place, 100).unwrap();
            (place, read) = (next, frames.len());
        }
        place
    };
    let end = behind(starts[0]);
    let together = Arc::new(std::sync::Barrier::new(readers.len()));
    let moving: Vec<_> = readers
        .into_iter()
        .map(|reader| {
            let (log, together) = (log.clone(), Arc::clone(&together));
            std::thread::spawn(move || {
                together.wait();
                // Who has passed it may move on while the last one's files are being removed.
                (0..20).try_for_each(|_| log.advance(&reader, end))
            })
        })
        .collect();
    for moved in moving {
        moved.join().unwrap().unwrap();
    }
    assert_eq!(segments(folder.path()).unwrap().len(), 1);
}

#[tokio::test]
async fn segments_roll_over_and_go_when_every_reader_has_passed() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path()).unwrap();
    let (slow, fast) = (log.cursor("slow").unwrap(), log.cursor("fast").unwrap());
    for n in 0..5_u8 {
        log.append(vec![vec![n; 5 << 20]]).await.unwrap();
    }
    assert_eq!(segments(folder.path()).unwrap(), [1, 2]);
    let (mut read, fast) = log.read(fast, 10).unwrap();
    assert_eq!(read.len(), 4, "as much as fits into memory at once");
    let (rest, fast) = log.read(fast, 10).unwrap();
    read.extend(rest);
    assert_eq!(read.iter().map(|p| p[0]).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    log.advance("fast", fast).unwrap();
    assert_eq!(segments(folder.path()).unwrap(), [1, 2], "the slow one still needs the first");
    let (_, slow) = log.read(slow, 4).unwrap();
    log.advance("slow", slow).unwrap();
    assert_eq!(segments(folder.path()).unwrap(), [2]);
    drop(log);
    let log = Log::open(folder.path()).unwrap();
    assert_eq!(log.read(log.cursor("slow").unwrap(), 10).unwrap().0.len(), 1);
    assert_eq!(log.read(log.cursor("fast").unwrap(), 10).unwrap().0.len(), 0);
    assert_eq!(log.end().sequence, 5);
}

#[tokio::test]
async fn many_appends_share_a_sync_and_keep_their_own_order() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::open(folder.path()).unwrap();
    let tasks = (0..50).map(|n| {
        let log = log.clone();
        tokio::spawn(async move {
            for m in 0..10 {
                log.append(vec![format!("{n:02}{m:02}").into_bytes()]).await.unwrap();
            }
        })
    });
    for task in tasks {
        task.await.unwrap();
    }
    let all = payloads(&log, "r");
    assert_eq!(all.len(), 500);
    for n in 0..50 {
        let own: Vec<&String> = all.iter().filter(|p| p.starts_with(&format!("{n:02}"))).collect();
        assert!(own.windows(2).all(|w| w[0] < w[1]));
    }
    assert!(matches!(log.append(vec![vec![0; MAX_PAYLOAD + 1]]).await, Err(BusError::TooLarge(_))));
}
