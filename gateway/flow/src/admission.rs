//! How much of the outside may be under way at once, so that a flood meets a clear "later" and not the end of memory.

use std::sync::{Arc, Mutex, PoisonError};

/// What is under way at the ports where vendors knock; cheap to clone.
#[derive(Clone, Debug)]
pub struct Admission {
    most: InFlight,
    now: Arc<Mutex<InFlight>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct InFlight {
    requests: usize,
    bytes: usize,
}

/// There is no room now; it passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

impl Admission {
    /// At most so many requests and bytes of bodies at once.
    #[must_use]
    pub fn new(max_requests: usize, max_bytes: usize) -> Self {
        Self { most: InFlight { requests: max_requests, bytes: max_bytes }, now: Arc::default() }
    }

    /// Lets a request in that announces `bytes`, if there is room for it. Only what it has sent counts: one that sends
    /// slowly takes no room from others.
    ///
    /// # Errors
    /// There is no room.
    pub fn enter(&self, bytes: usize) -> Result<Admitted, Busy> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.requests >= self.most.requests || now.bytes.saturating_add(bytes) > self.most.bytes {
            return Err(Busy);
        }
        now.requests += 1;
        Ok(Admitted { admission: self.clone(), bytes: 0 })
    }
}

/// A request that was let in; it gives its room back when dropped.
#[derive(Debug)]
pub struct Admitted {
    admission: Admission,
    bytes: usize,
}

impl Admitted {
    /// Takes room for more of its body.
    ///
    /// # Errors
    /// There is no room.
    pub fn take(&mut self, bytes: usize) -> Result<(), Busy> {
        let mut now = self.admission.now.lock().unwrap_or_else(PoisonError::into_inner);
        let after = now.bytes.saturating_add(bytes);
        if after > self.admission.most.bytes {
            return Err(Busy);
        }
        now.bytes = after;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut now = self.admission.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.requests = now.requests.saturating_sub(1);
        now.bytes = now.bytes.saturating_sub(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_bounded_and_given_back() {
        let admission = Admission::new(2, 100);
        let mut one = admission.enter(60).unwrap();
        one.take(60).unwrap();
        assert_eq!(admission.enter(41).err(), Some(Busy), "more than is left");
        let mut two = admission.enter(40).unwrap();
        assert_eq!(admission.enter(0).err(), Some(Busy), "a third request");
        assert_eq!(two.take(41), Err(Busy));
        two.take(40).unwrap();
        drop(one);
        assert!(admission.enter(60).is_ok());
        drop(two);
        assert_eq!(*admission.now.lock().unwrap(), InFlight::default());
    }

    #[test]
    fn who_announces_much_and_sends_nothing_takes_no_room() {
        let admission = Admission::new(10, 100);
        let slow: Vec<_> = (0..5).map(|_| admission.enter(100).unwrap()).collect();
        admission.enter(100).unwrap().take(100).unwrap();
        assert_eq!(slow.len(), 5);
    }
}
