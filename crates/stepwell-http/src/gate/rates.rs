//! How much comes in: from an address before it has shown a key, and with a key.
//!
//! Keys have 256 random bits, so nobody finds one by trying. What wrong keys are held back for is the work
//! that they make, and the logs; a right key passes from wherever it comes, so that nobody can lock others
//! out who share his address.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use rustc_hash::FxHashMap;
use stepwell_access::KeyId;
use stepwell_core::code::Code;

use super::access::{Access, Mode, Transport};
use crate::problem::Problem;

/// Requests of an address without a key that are taken at once, and again in each second.
const PUBLIC_BURST: u32 = 200;
const PUBLIC_A_SECOND: u32 = 50;

/// How much may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Most requests with a key in a second, on average. Default 10,000.
    pub key_requests_per_second: u32,
    /// Most wrong keys from an address in a minute. Default 30.
    pub wrong_keys_per_minute: u32,
    /// Most connections of an address that have not shown a key. Default 64.
    pub unknown_connections_max: u32,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            key_requests_per_second: 10_000,
            wrong_keys_per_minute: 30,
            unknown_connections_max: 64,
        }
    }
}

/// An address, or the network of one: whoever has an IPv6 address has 2^64 of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Net(u128);

impl From<IpAddr> for Net {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(u128::from(u32::from(address))),
            IpAddr::V6(address) => Self(u128::from(address) >> 64 << 64),
        }
    }
}

/// What counts it. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Throttle {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    limiters: RwLock<Arc<Limiters>>,
    /// How many connections of an address have not shown a key; `None` where that is not counted.
    unknown: Option<Mutex<FxHashMap<Net, u32>>>,
    unknown_max: AtomicU32,
    clock: DefaultClock,
}

/// What counts requests.
#[derive(Debug)]
struct Limiters {
    wrong: DefaultKeyedRateLimiter<Net>,
    public: DefaultKeyedRateLimiter<Net>,
    keys: DefaultKeyedRateLimiter<KeyId>,
}

impl Limiters {
    fn new(rates: Rates) -> Self {
        let at_least_one = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let public = Quota::per_second(at_least_one(PUBLIC_A_SECOND));
        let wrong = Quota::per_minute(at_least_one(rates.wrong_keys_per_minute));
        let keys = Quota::per_second(at_least_one(rates.key_requests_per_second));
        Self {
            wrong: RateLimiter::keyed(wrong),
            public: RateLimiter::keyed(public.allow_burst(at_least_one(PUBLIC_BURST))),
            keys: RateLimiter::keyed(keys),
        }
    }
}

/// A connection that has not shown a key; it is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    inner: Arc<Inner>,
    net: Net,
}

impl Throttle {
    pub(crate) fn new(access: &Access) -> Self {
        // All connections are of the proxy, where there is one.
        let counted = access.mode == Mode::Keys && !matches!(access.transport, Transport::Proxy);
        Self {
            inner: Arc::new(Inner {
                limiters: RwLock::new(Arc::new(Limiters::new(access.rates))),
                unknown: counted.then(Mutex::default),
                unknown_max: AtomicU32::new(access.rates.unknown_connections_max),
                clock: DefaultClock::default(),
            }),
        }
    }

    /// Lets in more or less from now on. Requests are counted anew; connections stay counted.
    pub(crate) fn set(&self, rates: Rates) {
        let limiters = Arc::new(Limiters::new(rates));
        *self.inner.limiters.write().unwrap_or_else(PoisonError::into_inner) = limiters;
        self.inner.unknown_max.store(rates.unknown_connections_max, Ordering::Relaxed);
    }

    fn limiters(&self) -> Arc<Limiters> {
        Arc::clone(&self.inner.limiters.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a wrong key.
    ///
    /// # Errors
    /// [`Code::TooManyRequests`].
    pub(super) fn wrong_key(&self, from: IpAddr) -> Result<(), Problem> {
        self.check(&self.limiters().wrong, &Net::from(from), "wrong keys from this address")
    }

    /// Counts a request without a key.
    ///
    /// # Errors
    /// [`Code::TooManyRequests`].
    pub(super) fn without_key(&self, from: IpAddr) -> Result<(), Problem> {
        self.check(
            &self.limiters().public,
            &Net::from(from),
            "requests without a key from this address",
        )
    }

    /// Counts a request with a key.
    ///
    /// # Errors
    /// [`Code::TooManyRequests`].
    pub(super) fn with_key(&self, key: KeyId) -> Result<(), Problem> {
        self.check(&self.limiters().keys, &key, "requests with this key")
    }

    /// Counts a connection until it has shown a key; `Err` when there are too many of its address.
    pub(crate) fn connection(&self, from: IpAddr) -> Result<Option<Permit>, ()> {
        let Some(unknown) = &self.inner.unknown else { return Ok(None) };
        let net = Net::from(from);
        let mut unknown = unknown.lock().unwrap_or_else(PoisonError::into_inner);
        let open = unknown.entry(net).or_default();
        if *open >= self.inner.unknown_max.load(Ordering::Relaxed) {
            return Err(());
        }
        *open += 1;
        Ok(Some(Permit { inner: Arc::clone(&self.inner), net }))
    }

    /// Forgets addresses and keys that have been quiet.
    pub(crate) fn tidy(&self) {
        let limiters = self.limiters();
        limiters.wrong.retain_recent();
        limiters.public.retain_recent();
        limiters.keys.retain_recent();
    }

    fn check<K: Clone + std::hash::Hash + Eq>(
        &self,
        limiter: &DefaultKeyedRateLimiter<K>,
        key: &K,
        what: &str,
    ) -> Result<(), Problem> {
        let Err(not_until) = limiter.check_key(key) else { return Ok(()) };
        let wait = not_until.wait_time_from(self.inner.clock.now());
        let seconds = wait.max(Duration::from_millis(1)).as_secs_f64().ceil();
        let detail = format!(
            "there are too many {what}; accepted: at most {} in {:?}, again in {seconds} s",
            not_until.quota().burst_size(),
            not_until.quota().burst_size_replenished_in(),
        );
        Err(Problem::new(Code::TooManyRequests, detail).retry_after(seconds))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(unknown) = &self.inner.unknown else { return };
        let mut unknown = unknown.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = unknown.get_mut(&self.net) {
            *open -= 1;
            if *open == 0 {
                unknown.remove(&self.net);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle(rates: Rates) -> Throttle {
        Throttle::new(&Access { mode: Mode::Keys, rates, ..Access::default() })
    }

    #[test]
    fn wrong_keys_are_held_back_by_their_address() {
        let throttle = throttle(Rates { wrong_keys_per_minute: 5, ..Rates::default() });
        let (here, there) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        for _ in 0..5 {
            assert_eq!(throttle.wrong_key(here), Ok(()));
        }
        let refused = throttle.wrong_key(here).unwrap_err();
        assert_eq!(refused.code, Code::TooManyRequests);
        assert!(refused.detail.contains("at most 5 in 60s"), "{}", refused.detail);
        assert_eq!(throttle.wrong_key(there), Ok(()));
        // A network of IPv6 is one, however many addresses it has.
        for at in 0..5 {
            throttle.wrong_key(format!("2001:db8::{at}").parse().unwrap()).unwrap();
        }
        assert!(throttle.wrong_key("2001:db8::ffff".parse().unwrap()).is_err());
        assert!(throttle.wrong_key("2001:db8:0:1::".parse().unwrap()).is_ok());
    }

    #[test]
    fn connections_without_a_key_are_bounded_and_given_back() {
        let rates = Rates { unknown_connections_max: 2, ..Rates::default() };
        let throttle = throttle(rates);
        let here = "192.0.2.1".parse().unwrap();
        let first = throttle.connection(here).unwrap();
        let second = throttle.connection(here).unwrap();
        assert!(first.is_some() && second.is_some());
        assert!(throttle.connection(here).is_err());
        assert!(throttle.connection("192.0.2.2".parse().unwrap()).is_ok());
        drop(first);
        assert!(throttle.connection(here).is_ok());
        drop(second);
        assert_eq!(throttle.inner.unknown.as_ref().unwrap().lock().unwrap().len(), 0);
    }

    /// New rates count at once, for connections that are open too.
    #[test]
    fn rates_are_changed_while_they_count() {
        let throttle = throttle(Rates { wrong_keys_per_minute: 1, ..Rates::default() });
        let here = "192.0.2.1".parse().unwrap();
        throttle.wrong_key(here).unwrap();
        throttle.wrong_key(here).unwrap_err();
        let first = throttle.connection(here).unwrap();
        throttle.clone().set(Rates {
            wrong_keys_per_minute: 3,
            unknown_connections_max: 1,
            ..Rates::default()
        });
        for _ in 0..3 {
            throttle.wrong_key(here).unwrap();
        }
        let refused = throttle.wrong_key(here).unwrap_err();
        assert!(refused.detail.contains("at most 3 in 60s"), "{}", refused.detail);
        assert!(throttle.connection(here).is_err());
        drop(first);
        assert!(throttle.connection(here).is_ok());
    }

    #[test]
    fn behind_a_proxy_connections_are_not_counted() {
        let rates = Rates { unknown_connections_max: 0, ..Rates::default() };
        let transport = Transport::Proxy;
        let access = Access { mode: Mode::Keys, rates, transport, ..Access::default() };
        assert!(Throttle::new(&access).connection("192.0.2.1".parse().unwrap()).is_ok());
    }
}
