//! A TCP proxy before a server: it leads elsewhere when told, cuts connections, and loses the answers to commits.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long a server may take to commit before the connection is cut.
const COMMITTED: Duration = Duration::from_millis(100);

/// Stands before a server, as the address of a database does that stays the same when another server takes over.
pub struct SwitchProxy {
    /// Where clients connect.
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    /// Where it leads; 0 is nowhere.
    target: AtomicU16,
    streams: Mutex<Vec<TcpStream>>,
    /// After so many bytes of requests a connection is cut; 0 is never.
    cut_after: AtomicU64,
    /// Every so manieth commit loses its answer; 0 is none.
    lose_every: AtomicU64,
    commits: AtomicU64,
    lost: AtomicU64,
}

impl SwitchProxy {
    /// A proxy before the server on `port` of the loopback.
    #[must_use]
    pub fn in_front_of(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let shared = Arc::new(Shared {
            target: AtomicU16::new(port),
            streams: Mutex::default(),
            cut_after: AtomicU64::new(0),
            lose_every: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        });
        let proxy = Self { port: listener.local_addr().unwrap().port(), shared: Arc::clone(&shared) };
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let target = shared.target.load(Ordering::SeqCst);
                let server = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, target)));
                let (1.., Ok(server)) = (target, server) else { continue };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let (to_server, to_client) = (pair(&client, &server), pair(&server, &client));
                shared.streams.lock().unwrap().extend([client, server]);
                let own = Arc::clone(&shared);
                std::thread::spawn(move || own.requests(to_server));
                std::thread::spawn(move || answers(to_client));
            }
        });
        proxy
    }

    /// Cuts every connection; new ones lead to `port`.
    pub fn lead_to(&self, port: u16) {
        self.shared.target.store(port, Ordering::SeqCst);
        for stream in self.shared.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Cuts every connection and takes no new ones.
    pub fn lead_nowhere(&self) {
        self.lead_to(0);
    }

    /// Cuts each new connection after so many bytes of requests, wherever that is; 0 for never.
    pub fn cut_after(&self, bytes: u64) {
        self.shared.cut_after.store(bytes, Ordering::SeqCst);
    }

    /// Lets every so manieth commit reach the server, and cuts the connection instead of answering; 0 for none.
    pub fn lose_answers(&self, every: u64) {
        self.shared.lose_every.store(every, Ordering::SeqCst);
    }

    /// How many commits have lost their answers.
    #[must_use]
    pub fn lost_answers(&self) -> u64 {
        self.shared.lost.load(Ordering::SeqCst)
    }
}

fn pair(from: &TcpStream, to: &TcpStream) -> (TcpStream, TcpStream) {
    (from.try_clone().unwrap(), to.try_clone().unwrap())
}

impl Shared {
    fn requests(&self, (mut client, mut server): (TcpStream, TcpStream)) {
        let cut_after = self.cut_after.load(Ordering::SeqCst);
        let (mut buffer, mut sent) = ([0; 16 << 10], 0);
        while let Ok(read @ 1..) = client.read(&mut buffer) {
            sent += read as u64;
            if cut_after > 0 && sent > cut_after {
                break;
            }
            let loses = self.loses(&buffer[..read]);
            if loses {
                // From here on no answer gets through.
                let _ = client.shutdown(Shutdown::Both);
            }
            if server.write_all(&buffer[..read]).is_err() {
                break;
            }
            if loses {
                std::thread::sleep(COMMITTED);
                self.lost.fetch_add(1, Ordering::SeqCst);
                break;
            }
        }
        let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
    }

    /// Whether these bytes hold a commit whose answer is to be lost.
    fn loses(&self, request: &[u8]) -> bool {
        let every = self.lose_every.load(Ordering::SeqCst);
        every > 0
            && request.windows(7).any(|window| window == b"COMMIT\0")
            && (self.commits.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(every)
    }
}

fn answers((mut server, mut client): (TcpStream, TcpStream)) {
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = server.read(&mut buffer) {
        if client.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
}
