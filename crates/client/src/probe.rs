//! Looking for the reason of a refusal by sending a question without conditions.
//!
//! The service checks in a fixed order (form, Iss Key, address, signature, times, access, account, conditions), so the
//! first refusal tells how far a token gets. Conditions that are missing are refused before anything is compared: no
//! `jti` is spent, no strike and no quota is counted. The service records the refusal, so this is no heartbeat.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    client::Client,
    error::{Error, NotSent},
    refusal::Refusal,
    reply::Reading,
    transport::Delivery,
};

/// Half the resolution of `Date`, which counts whole seconds.
const HALF_SECOND: TimeDelta = TimeDelta::milliseconds(500);
/// A clock that is further off than this should be set, long before tokens are refused.
const CLOCK_BOUND: TimeDelta = TimeDelta::seconds(30);

/// What a token passes on its way, in the service's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A connection, with TLS where it is needed, and a service behind it.
    Connection,
    /// The token arrives whole.
    Form,
    /// The Iss Key is known in this environment.
    IssKey,
    /// The address is registered.
    Address,
    /// The signature is by a key registered for this profile and environment.
    Signature,
    /// The times, and in the strict profile audience and digest.
    Times,
    /// Access is active.
    Access,
    /// UBN and account belong to the Iss Key.
    Account,
}

impl Step {
    /// All steps in their order.
    pub const ALL: [Self; 8] = [
        Self::Connection,
        Self::Form,
        Self::IssKey,
        Self::Address,
        Self::Signature,
        Self::Times,
        Self::Access,
        Self::Account,
    ];

    /// A stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Form => "form",
            Self::IssKey => "iss-key",
            Self::Address => "address",
            Self::Signature => "signature",
            Self::Times => "times",
            Self::Access => "access",
            Self::Account => "account",
        }
    }

    /// The step at which a refusal is given; `None` behind the last.
    const fn of(refusal: Refusal) -> Option<Self> {
        match refusal {
            Refusal::Unexpected { .. } => Some(Self::Connection),
            Refusal::TokenMissing | Refusal::TokenMalformed | Refusal::HeadersTooLarge => Some(Self::Form),
            Refusal::KeyUnknown => Some(Self::IssKey),
            Refusal::AddressNotRegistered => Some(Self::Address),
            Refusal::SignatureInvalid => Some(Self::Signature),
            Refusal::NotYetValid | Refusal::Expired | Refusal::AudienceWrong | Refusal::DigestWrong => {
                Some(Self::Times)
            }
            Refusal::AccessEnded => Some(Self::Access),
            Refusal::AccountMismatch => Some(Self::Account),
            Refusal::QuestionMalformed => None,
        }
    }
}

/// How far the two clocks are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// The service's clock less this one's: positive when this one is slow.
    pub offset: TimeDelta,
    /// How exact that is.
    pub uncertainty: TimeDelta,
}

impl Clock {
    /// From the service's `Date` and this clock before and after the exchange.
    fn read(date: DateTime<Utc>, before: DateTime<Utc>, after: DateTime<Utc>) -> Self {
        let half = (after - before) / 2;
        Self { offset: date + HALF_SECOND - (before + half), uncertainty: half + HALF_SECOND }
    }

    /// Whether it should be set.
    pub fn is_off(self) -> bool {
        self.offset.abs() - self.uncertainty > CLOCK_BOUND
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Probe {
    /// The step that failed and the stable name of the reason; `None` when a question would be compared.
    pub failed: Option<(Step, &'static str)>,
    /// The clocks, when the service reported its own.
    pub clock: Option<Clock>,
    /// The address that this machine speaks from. Behind a gateway the service sees another.
    pub local_address: Option<IpAddr>,
}

impl Client {
    /// Finds the step at which this client's questions are refused, without asking about anybody.
    ///
    /// # Errors
    /// [`Error::Signing`]. Everything else is what is looked for.
    pub async fn probe(&self) -> Result<Probe, Error> {
        let message = self.empty_message().ok_or(Error::Signing)?;
        let before = self.now();
        let delivery = self.send_once(&message).await;
        let after = self.now();
        let (clock, peer) = match &delivery {
            Delivery::Replied { date, peer, .. } => {
                (date.map(|date| Clock::read(date, before, after)), *peer)
            }
            Delivery::NotSent(_) | Delivery::Lost(_) => (None, None),
        };
        Ok(Probe { failed: failure(&delivery), clock, local_address: peer.and_then(local_address) })
    }
}

fn failure(delivery: &Delivery) -> Option<(Step, &'static str)> {
    let reading = match delivery {
        Delivery::NotSent(cause) => return Some((Step::Connection, NotSent::code(*cause))),
        Delivery::Lost(_) => return Some((Step::Connection, "no-reply")),
        Delivery::Replied { reading, .. } => reading,
    };
    match reading {
        Reading::Refused(refusal) => Step::of(*refusal).map(|step| (step, refusal.code())),
        Reading::TooMany => Some((Step::Connection, "too-many-requests")),
        Reading::Unavailable => Some((Step::Connection, "unavailable")),
        // Nothing was asked, so the service has no answer and no record of the token.
        Reading::Answer { .. } | Reading::AlreadyUsed | Reading::Undecided { .. } | Reading::Unreadable => {
            Some((Step::Connection, "unexpected-status"))
        }
    }
}

/// The address by which the system would reach `peer`. Nothing is sent.
fn local_address(peer: SocketAddr) -> Option<IpAddr> {
    let any: SocketAddr = if peer.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(peer).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::{Clock, DateTime, Refusal, Step, TimeDelta, local_address};

    #[test]
    fn clocks_within_what_is_known_are_not_off() {
        let at =
            |milliseconds: i64| DateTime::from_timestamp_millis(1_795_000_000_000 + milliseconds).unwrap();
        for (date, before, after, off) in [
            (0, 0, 0, false),
            (0, 100, 900, false),
            (30_000, 0, 0, false),
            (32_000, 0, 0, true),
            (32_000, -3_000, 3_000, false),
            (-32_000, 0, 0, true),
        ] {
            assert_eq!(Clock::read(at(date), at(before), at(after)).is_off(), off, "{date} {before} {after}");
        }
        let slow = Clock::read(at(600_000), at(0), at(1000));
        assert_eq!((slow.offset, slow.uncertainty), (TimeDelta::seconds(600), TimeDelta::seconds(1)));
    }

    #[test]
    fn every_refusal_but_the_last_is_a_step_and_every_step_has_one() {
        let steps: Vec<_> = Refusal::all().filter_map(Step::of).collect();
        assert_eq!(steps.len(), Refusal::all().count() - 1);
        assert!(Step::ALL.iter().skip(1).all(|step| steps.contains(step)));
    }

    #[test]
    fn this_machine_reaches_itself_by_loopback() {
        for peer in ["127.0.0.1:9", "[::1]:9"] {
            let Some(address) = local_address(peer.parse().unwrap()) else { continue };
            assert!(address.is_loopback(), "{peer}: {address}");
        }
    }
}
