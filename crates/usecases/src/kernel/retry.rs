//! A decision is made again from what the store holds when someone else's change came between.

/// How often.
const TRIES: u8 = 5;

/// A refusal that may be that someone else's change came between.
pub(crate) trait Overtaken {
    fn overtaken(&self) -> bool;
}

/// Makes a change again from what the store holds now, until nobody comes between.
pub(crate) async fn retry<T, E, F>(mut attempt: impl FnMut() -> F) -> Result<T, E>
where
    E: Overtaken,
    F: Future<Output = Result<T, E>> + Send,
{
    for _ in 1..TRIES {
        match attempt().await {
            Err(refusal) if refusal.overtaken() => {}
            outcome => return outcome,
        }
    }
    attempt().await
}
