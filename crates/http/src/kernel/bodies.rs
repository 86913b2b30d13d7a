//! Request bodies on their way in: each has a time and a bound, and all together have one, so that many that come slowly hold
//! no more memory than is stated.

use std::{sync::LazyLock, time::Duration};

use poem::{Body, http::StatusCode};
use tokio::{
    io::AsyncReadExt,
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

/// How long one body may take; as long as a whole request of HTTP/1.1.
const TIME: Duration = Duration::from_secs(20);
/// KiB of all bodies that are held at one time.
const ALL: u32 = 64 * 1024;
/// KiB that are asked for at one time.
const PIECE: u32 = 16;

static HELD: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(ALL as usize));

/// KiB of all bodies with files; apart from the others, so that nobody's files keep a query waiting.
const ALL_FILES: u32 = 128 * 1024;

static HELD_FILES: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(ALL_FILES as usize));

/// What a body holds of the bound for all; given back when it is dropped.
pub(crate) struct Held(
    #[expect(dead_code, reason = "dropping it is its use")] Option<SemaphorePermit<'static>>,
);

/// Reads a body of at most `most` bytes.
///
/// # Errors
/// 408 when it takes too long, 413 when it is longer, 400 when it breaks off, 503 when all bodies together would hold too much.
pub(crate) async fn read(body: Body, most: usize) -> Result<(Vec<u8>, Held), StatusCode> {
    let reading = timeout(TIME, read_from(&HELD, body, most)).await;
    reading.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))
}

/// Reads a body with files in it.
///
/// # Errors
/// As [`read`].
pub(crate) async fn read_files(body: Body, most: usize) -> Result<(Vec<u8>, Held), StatusCode> {
    let reading = timeout(TIME, read_from(&HELD_FILES, body, most)).await;
    reading.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))
}

async fn read_from(all: &'static Semaphore, body: Body, most: usize) -> Result<(Vec<u8>, Held), StatusCode> {
    let mut reader = body.into_async_read();
    let mut bytes = Vec::new();
    let mut held: Option<SemaphorePermit<'static>> = None;
    loop {
        if bytes.len() == bytes.capacity() {
            let more = all.try_acquire_many(PIECE).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
            match &mut held {
                Some(held) => held.merge(more),
                None => held = Some(more),
            }
            bytes.reserve_exact(PIECE as usize * 1024);
        }
        match reader.read_buf(&mut bytes).await {
            Ok(0) => return Ok((bytes, Held(held))),
            Ok(_) if bytes.len() > most => return Err(StatusCode::PAYLOAD_TOO_LARGE),
            Ok(_) => {}
            Err(_) => return Err(StatusCode::BAD_REQUEST),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn a_body_is_read_to_its_bound() {
        let length = 100_000;
        let (bytes, _held) = read(Body::from(vec![7; length]), length).await.unwrap();
        assert_eq!(bytes, vec![7; length]);
        let over = read(Body::from(vec![7; length + 1]), length).await.map(drop);
        assert_eq!(over, Err(StatusCode::PAYLOAD_TOO_LARGE));
        assert_eq!(read(Body::empty(), 0).await.unwrap().0, Vec::<u8>::new());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_end_is_given_up() {
        let (mut theirs, ours) = duplex(64);
        theirs.write_all(b"half").await.unwrap();
        let given_up = read(Body::from_async_read(ours), 100).await.map(drop);
        assert_eq!(given_up, Err(StatusCode::REQUEST_TIMEOUT));
    }

    #[tokio::test]
    async fn all_bodies_together_have_a_bound_and_give_back_what_they_held() {
        static FEW: Semaphore = Semaphore::const_new(2 * PIECE as usize);
        let body = || Body::from(vec![7; 1000]);
        let first = read_from(&FEW, body(), 1000).await.unwrap();
        let second = read_from(&FEW, body(), 1000).await.unwrap();
        assert_eq!(read_from(&FEW, body(), 1000).await.map(drop), Err(StatusCode::SERVICE_UNAVAILABLE));
        drop(first);
        assert!(read_from(&FEW, body(), 1000).await.is_ok());
        drop(second);
    }
}
