//! A TCP proxy that can cut: what a network does to a client that believes in it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Stands before a server; [`CutProxy::cut`] breaks every connection and refuses new ones until
/// [`CutProxy::restore`].
pub struct CutProxy {
    /// Where clients connect.
    pub port: u16,
    open: Arc<AtomicBool>,
    halted: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl CutProxy {
    /// A proxy before the server on `port` of the loopback.
    #[must_use]
    pub fn in_front_of(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            open: Arc::new(AtomicBool::new(true)),
            halted: Arc::default(),
            streams: Arc::default(),
        };
        let (open, streams) = (Arc::clone(&proxy.open), Arc::clone(&proxy.streams));
        let halted = Arc::clone(&proxy.halted);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
                let (true, Ok(server)) = (open.load(Ordering::SeqCst), server) else { continue };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let halted = Arc::clone(&halted);
                    std::thread::spawn(move || {
                        let mut buffer = [0; 16 << 10];
                        while let Ok(read @ 1..) = from.read(&mut buffer) {
                            while halted.load(Ordering::SeqCst) {
                                std::thread::sleep(std::time::Duration::from_millis(10));
                            }
                            if to.write_all(&buffer[..read]).is_err() {
                                break;
                            }
                        }
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
                streams.lock().unwrap().extend([client, server]);
            }
        });
        proxy
    }

    /// Breaks all connections and refuses new ones.
    pub fn cut(&self) {
        self.open.store(false, Ordering::SeqCst);
        for stream in self.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Forwards nothing any more and closes nothing: what a broken route looks like from both ends.
    pub fn halt(&self) {
        self.halted.store(true, Ordering::SeqCst);
    }

    /// Lets connections through again.
    pub fn restore(&self) {
        self.halted.store(false, Ordering::SeqCst);
        self.open.store(true, Ordering::SeqCst);
    }
}
