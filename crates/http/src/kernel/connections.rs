//! Connections: how many there may be, and how long one may take. A client that sends one byte now and then, or
//! nothing, holds a connection; the bounds keep it from holding all of them.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use poem::{
    http::uri::Scheme,
    listener::Acceptor,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep, sleep_until},
};

/// From a connection's beginning, or a request's first byte, to the response's first.
const ASKING: Duration = Duration::from_secs(20);
/// From a response to the next request; longer than reverse proxies keep a connection (60 s), so that they close it.
const IDLE: Duration = Duration::from_secs(75);
/// Until accepting is tried again when the system refused it, which is soon when it has no descriptors left.
const REFUSED: Duration = Duration::from_millis(100);

/// Accepts so many connections at a time, each within its bounds.
pub struct Bounded<A> {
    inner: A,
    slots: Arc<Semaphore>,
}

impl<A> Bounded<A> {
    /// At most `connections` of this acceptor at a time; more wait in the system's queue.
    pub fn new(inner: A, connections: usize) -> Self {
        Self { inner, slots: Arc::new(Semaphore::new(connections)) }
    }
}

impl<A: Acceptor> Acceptor for Bounded<A> {
    type Io = Connection<A::Io>;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.inner.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(io::Error::other)?;
        loop {
            match self.inner.accept().await {
                Ok((io, local, remote, scheme)) => {
                    return Ok((Connection::new(io, slot), local, remote, scheme));
                }
                // The server would ask again at once, and do nothing else.
                Err(_) => sleep(REFUSED).await,
            }
        }
    }
}

/// How a connection of HTTP/2 begins (RFC 9113 §3.4), as far as it takes to tell it from a request of HTTP/1.1.
const HTTP2: &[u8; 4] = b"PRI ";

/// A connection that ends itself when it takes too long. It speaks HTTP/1.1 only: over HTTP/2 one connection has many requests
/// under way, and neither its time nor what it holds would be bounded here. A reverse proxy may speak HTTP/2 to its clients.
pub struct Connection<Io> {
    io: Io,
    /// The first bytes that were read.
    beginning: [u8; HTTP2.len()],
    begun: usize,
    /// Whether a request has begun that has no response yet.
    asking: bool,
    ends_at: Instant,
    /// Wakes at an earlier `ends_at`, and is set anew then: a request costs no timer.
    alarm: Pin<Box<Sleep>>,
    _slot: OwnedSemaphorePermit,
}

impl<Io> Connection<Io> {
    fn new(io: Io, slot: OwnedSemaphorePermit) -> Self {
        let ends_at = Instant::now() + ASKING;
        Self {
            io,
            beginning: [0; HTTP2.len()],
            begun: 0,
            asking: true,
            ends_at,
            alarm: Box::pin(sleep_until(ends_at)),
            _slot: slot,
        }
    }

    /// Whether what was read now makes the beginning one of HTTP/2.
    fn is_http2(&mut self, read: &[u8]) -> bool {
        let begun = self.begun;
        for (place, byte) in self.beginning.iter_mut().skip(begun).zip(read) {
            (*place, self.begun) = (*byte, self.begun + 1);
        }
        begun < HTTP2.len() && self.begun == HTTP2.len() && &self.beginning == HTTP2
    }

    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.alarm.as_mut().poll(context).is_ready() {
            if Instant::now() >= self.ends_at {
                return Poll::Ready(());
            }
            self.alarm.as_mut().reset(self.ends_at);
        }
        Poll::Pending
    }

    /// What became of writing: bytes that left answer the request, and who does not read its response holds the
    /// connection no longer than who does not ask.
    fn settle(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.asking = false;
            self.ends_at = Instant::now() + IDLE;
        } else if self.poll_end(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Connection<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if self.is_http2(buffer.filled().get(filled..).unwrap_or_default()) {
            return Poll::Ready(Err(io::ErrorKind::Unsupported.into()));
        }
        if read.is_pending() {
            return self.poll_end(context).map(|()| Err(io::ErrorKind::TimedOut.into()));
        }
        if !self.asking {
            self.asking = true;
            self.ends_at = Instant::now() + ASKING;
        }
        read
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Connection<Io> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.settle(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, bytes);
        self.settle(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        time::advance,
    };

    use super::*;

    fn connection() -> (Connection<DuplexStream>, DuplexStream) {
        let (ours, theirs) = duplex(64);
        let slot = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        (Connection::new(ours, slot), theirs)
    }

    async fn read(connection: &mut Connection<DuplexStream>) -> io::Result<usize> {
        connection.read(&mut [0; 8]).await
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_octet_by_octet_is_cut_off() {
        let (mut ours, mut theirs) = connection();
        for _ in 0..19 {
            theirs.write_all(b"x").await.unwrap();
            assert_eq!(read(&mut ours).await.unwrap(), 1);
            advance(Duration::from_secs(1)).await;
        }
        theirs.write_all(b"x").await.unwrap();
        assert_eq!(read(&mut ours).await.unwrap(), 1);
        assert_eq!(read(&mut ours).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_answered_may_wait_and_ask_again() {
        let (mut ours, mut theirs) = connection();
        for _ in 0..3 {
            theirs.write_all(b"question").await.unwrap();
            assert_eq!(read(&mut ours).await.unwrap(), 8);
            advance(Duration::from_secs(19)).await;
            ours.write_all(b"answer").await.unwrap();
            assert_eq!(theirs.read(&mut [0; 6]).await.unwrap(), 6);
            advance(Duration::from_secs(70)).await;
        }
        assert_eq!(read(&mut ours).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn http2_is_not_spoken() {
        for pieces in [&["PRI * HTTP/2.0\r\n\r\n"][..], &["P", "RI", " * HTTP/2.0\r\n"]] {
            let (mut ours, mut theirs) = connection();
            let mut refused = false;
            for piece in pieces {
                theirs.write_all(piece.as_bytes()).await.unwrap();
                refused |=
                    read(&mut ours).await.is_err_and(|error| error.kind() == io::ErrorKind::Unsupported);
            }
            assert!(refused, "{pieces:?}");
        }
        let (mut ours, mut theirs) = connection();
        theirs.write_all(b"PRINT / HTTP/1.1").await.unwrap();
        assert_eq!(read(&mut ours).await.unwrap(), 8);
        theirs.write_all(b"PRI ").await.unwrap();
        assert_eq!(read(&mut ours).await.unwrap(), 8);
        assert_eq!(read(&mut ours).await.unwrap(), 4, "later it is a body");
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_its_answer_is_cut_off() {
        let (mut ours, _theirs) = connection();
        assert_eq!(ours.write_all(&[0; 65]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
