//! Who a request is of.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, Uri, header};
use stepwell_access::key::Malformed;
use stepwell_access::keyring::{Live, Refused};
use tokio_rustls::TlsAcceptor;

use super::access::{Access, Mode, Transport};
use super::caller::{Admission, Caller};
use super::cookie::{self, clear_cookie};
use super::keys::{Keys, now};
use super::origin::Place;
use super::rates::{Permit, Throttle};
use crate::problem::Problem;

/// Most bytes of all headers together.
pub const HEADER_BYTES_MAX: usize = 8 * 1024;

/// Decides who is let in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gate {
    port: u16,
    mode: Mode,
    transport: Transport,
    throttle: Throttle,
    keys: Keys,
}

impl Gate {
    /// Makes the gate of a server that listens on `address`.
    ///
    /// # Errors
    /// As [`Access::check`].
    pub fn new(address: SocketAddr, access: &Access, keys: Keys) -> Result<Self, Problem> {
        access.check(address)?;
        Ok(Self {
            port: address.port(),
            mode: access.mode,
            transport: access.transport.clone(),
            throttle: Throttle::new(access),
            keys,
        })
    }

    /// Lets a request in, or says why not. One without a key that is taken passes as nobody: routes that
    /// are public are for nobody too.
    ///
    /// # Errors
    /// [`Forbidden`](stepwell_core::code::Code::Forbidden) when it comes from where it may not,
    /// [`BadRequest`](stepwell_core::code::Code::BadRequest) when its headers are over
    /// [`HEADER_BYTES_MAX`], [`TooManyRequests`](stepwell_core::code::Code::TooManyRequests).
    pub fn admit(
        &self,
        peer: SocketAddr,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Admission, Problem> {
        self.admit_page(peer, uri, headers)?;
        self.place().check_page(headers)?;
        let from = self.place().address(peer, headers);
        match self.mode {
            Mode::Loopback => Ok(Admission(Ok(Caller::local(from)))),
            Mode::Keys => self.identify(from, headers),
        }
    }

    /// Lets a request for a page of the console in, wherever the link stood that was followed: such a page
    /// holds nothing that is anybody's.
    ///
    /// # Errors
    /// As [`Gate::admit`], but for what a browser says of the site that it comes from.
    pub fn admit_page(
        &self,
        peer: SocketAddr,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), Problem> {
        let bytes = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
        let bytes: usize = bytes.sum();
        if bytes > HEADER_BYTES_MAX {
            return Err(Problem::bad_request(format!(
                "the headers have {bytes} bytes; accepted: at most {HEADER_BYTES_MAX}"
            )));
        }
        self.place().check_host(peer, uri, headers)
    }

    /// Counts a connection until somebody is let in on it; `Err` when there are too many of its address.
    pub(crate) fn connection(&self, peer: SocketAddr) -> Result<Option<Permit>, ()> {
        self.throttle.connection(peer.ip())
    }

    /// Returns what accepts connections under TLS; `None` where there is none here.
    pub(crate) fn acceptor(&self) -> Option<TlsAcceptor> {
        match &self.transport {
            Transport::Tls(certificate) => Some(certificate.acceptor()),
            Transport::Plain | Transport::Proxy => None,
        }
    }

    /// Returns what counts requests, to have it forget what is over.
    pub(crate) fn throttle(&self) -> &Throttle {
        &self.throttle
    }

    fn place(&self) -> Place<'_> {
        Place { mode: self.mode, transport: &self.transport, port: self.port }
    }

    fn identify(&self, from: IpAddr, headers: &HeaderMap) -> Result<Admission, Problem> {
        let (refused, cookie) = match self.live(headers) {
            Ok(live) => {
                self.throttle.with_key(live.credential.key)?;
                return Ok(Admission(Ok(Caller::of(live, from, self.keys.clone()))));
            }
            Err(refused) => refused,
        };
        if refused == Refused::Missing {
            self.throttle.without_key(from)?;
        } else {
            self.throttle.wrong_key(from)?;
            tracing::debug!(%from, why = %refused, "a key was not taken");
        }
        let mut problem = Problem::from(refused);
        if cookie {
            // The browser would send it for ever, and people would have to find it to log in again.
            problem.headers.extend(clear_cookie(&self.transport).map(|c| (header::SET_COOKIE, c)));
        }
        Ok(Admission(Err(problem)))
    }

    /// Tells who the credential of a request is of, or why it is not taken, and whether it is a cookie.
    fn live(&self, headers: &HeaderMap) -> Result<Live, (Refused, bool)> {
        let keyring = self.keys.keyring();
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        match (given.next(), given.next()) {
            (Some(one), None) => {
                let text = one.to_str().ok().and_then(bearer);
                let text = text.ok_or((Refused::Malformed(Malformed::Form), false))?;
                keyring.authenticate(text, now()).map_err(|refused| (refused, false))
            }
            (Some(_), Some(_)) => Err((Refused::Malformed(Malformed::Form), false)),
            (None, _) => {
                let session = cookie::read(&self.transport, headers);
                let session = session.ok_or((Refused::Missing, false))?;
                keyring.authenticate_session(session, now()).map_err(|refused| (refused, true))
            }
        }
    }
}

/// Returns the key of `Authorization: Bearer` (RFC 6750 §2.1).
fn bearer(text: &str) -> Option<&str> {
    let (scheme, key) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::http::{HeaderName, HeaderValue};
    use stepwell_access::keyring::Create;
    use stepwell_access::{KeyId, Role};
    use stepwell_core::code::Code;

    use super::super::access::OpenLedger;
    use super::super::keys::entropy;
    use super::*;

    const LOCAL: &str = "127.0.0.1:50000";
    const FAR: &str = "192.0.2.1:4000";

    async fn keys() -> Keys {
        Keys::open(OpenLedger::in_memory()).await.unwrap()
    }

    fn map(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            let name: HeaderName = name.parse().unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[track_caller]
    fn check(gate: &Gate, headers: &[(&str, &str)], uri: &str) -> Result<(), Problem> {
        let admitted = gate.admit(LOCAL.parse().unwrap(), &uri.parse().unwrap(), &map(headers));
        let caller = admitted?.0?;
        assert_eq!((&*caller.namespace(), caller.role()), ("default", Role::Admin));
        Ok(())
    }

    async fn loopback() -> Gate {
        Gate::new("127.0.0.1:7878".parse().unwrap(), &Access::default(), keys().await).unwrap()
    }

    #[tokio::test]
    async fn this_machine_is_let_in_by_its_names() {
        let gate = loopback().await;
        for host in ["localhost:7878", "127.0.0.1:7878", "[::1]:7878", "LOCALHOST:7878"] {
            assert_eq!(check(&gate, &[("host", host)], "/healthz"), Ok(()), "{host}");
            let origin = format!("http://{host}");
            let headers = [("host", host), ("origin", &*origin), ("sec-fetch-site", "same-origin")];
            assert_eq!(check(&gate, &headers, "/healthz"), Ok(()), "{origin}");
        }
    }

    #[tokio::test]
    async fn other_names_origins_and_sites_are_refused() {
        let gate = loopback().await;
        let ours = ("host", "localhost:7878");
        let cases: [&[(&str, &str)]; 14] = [
            &[],
            &[("host", "")],
            &[("host", "localhost")],
            &[("host", "localhost:80")],
            &[("host", "rebound.example:7878")],
            &[("host", "127.0.0.1.example:7878")],
            &[("host", "::1")],
            &[("host", "[::1]")],
            &[ours, ours],
            &[ours, ("origin", "null")],
            &[ours, ("origin", "https://localhost:7878")],
            &[ours, ("origin", "http://localhost:3000")],
            &[ours, ("sec-fetch-site", "cross-site")],
            &[ours, ("sec-fetch-site", "same-site")],
        ];
        for headers in cases {
            let refused = check(&gate, headers, "/healthz").unwrap_err();
            assert_eq!(refused.code, Code::Forbidden, "{headers:?}");
        }
        assert!(check(&gate, &[ours], "http://rebound.example:7878/healthz").is_err());
    }

    #[tokio::test]
    async fn other_machines_and_long_headers_are_refused() {
        let gate = loopback().await;
        let headers = map(&[("host", "localhost:7878")]);
        let refused = gate.admit(FAR.parse().unwrap(), &Uri::from_static("/"), &headers);
        assert_eq!(refused.unwrap_err().code, Code::Forbidden);
        let long = "x".repeat(9_000);
        let headers = [("host", "localhost:7878"), ("cookie", &*long)];
        let refused = check(&gate, &headers, "/").unwrap_err();
        assert!(refused.detail.contains("at most 8192"), "{}", refused.detail);
    }

    #[tokio::test]
    async fn listening_elsewhere_than_on_loopback_takes_keys_and_tls() {
        let keys = keys().await;
        let access = |mode, transport| Access { mode, transport, ..Access::default() };
        let made = |address: &str, access: &Access| {
            Gate::new(address.parse().unwrap(), access, keys.clone()).map(drop)
        };
        for address in ["0.0.0.0:7878", "[::]:7878", "192.168.0.2:1", "[::ffff:192.0.2.1]:1"] {
            let refused = made(address, &Access::default()).unwrap_err();
            assert_eq!(refused.code, Code::ListenRefused, "{address}");
            assert!(refused.detail.contains("nobody needs a key"), "{}", refused.detail);
            let plain = made(address, &access(Mode::Keys, Transport::Plain)).unwrap_err();
            assert!(plain.detail.contains("--tls-cert"), "{}", plain.detail);
            let proxy = made(address, &access(Mode::Loopback, Transport::Proxy)).unwrap_err();
            assert_eq!(proxy.code, Code::ListenRefused);
            assert_eq!(made(address, &access(Mode::Keys, Transport::Proxy)), Ok(()));
        }
        for address in ["[::1]:0", "127.0.0.1:7878", "[::ffff:127.0.0.1]:1"] {
            assert_eq!(made(address, &Access::default()), Ok(()), "{address}");
            assert_eq!(made(address, &access(Mode::Keys, Transport::Plain)), Ok(()), "{address}");
        }
    }

    /// A gate that wants keys, and a key of namespace `default`.
    async fn locked(role: Role) -> (Gate, KeyId, String) {
        let keys = keys().await;
        let create = Create {
            name: "ann".into(),
            namespace: Arc::from("default"),
            role,
            expires_at: None,
            by: "test".into(),
        };
        let made = keys.keyring().create(create, entropy().unwrap(), now());
        let (key, secret) = made.unwrap();
        let access = Access { mode: Mode::Keys, ..Access::default() };
        let gate = Gate::new("127.0.0.1:7878".parse().unwrap(), &access, keys).unwrap();
        (gate, key.id, secret.expose().to_owned())
    }

    fn admitted(gate: &Gate, headers: &[(&str, &str)]) -> Result<Caller, Problem> {
        let mut all = vec![("host", "flows.example")];
        all.extend_from_slice(headers);
        gate.admit(FAR.parse().unwrap(), &Uri::from_static("/"), &map(&all))?.0
    }

    #[tokio::test]
    async fn a_key_lets_in_from_wherever_it_comes() {
        let (gate, id, secret) = locked(Role::Viewer).await;
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let header = format!("{scheme} {secret}");
            let caller = admitted(&gate, &[("authorization", &header)]).unwrap();
            assert_eq!(caller.key().unwrap().id, id);
            assert_eq!((caller.role(), caller.name()), (Role::Viewer, "ann"));
        }
        let live = gate.keys.keyring().authenticate(&secret, now()).unwrap();
        let session = gate.keys.keyring().session(&live, now());
        let cookie = format!("stepwell_session={}", session.expose());
        assert_eq!(admitted(&gate, &[("cookie", &cookie)]).unwrap().role(), Role::Viewer);
    }

    #[tokio::test]
    async fn nobody_is_let_in_without_a_key_that_is_taken() {
        let (gate, _, secret) = locked(Role::Admin).await;
        let key = format!("Bearer {secret}");
        let basic = format!("Basic {secret}");
        let cut = format!("Bearer {}", &secret[..40]);
        let cases: [(&[(&str, &str)], &str); 7] = [
            (&[], "has no key"),
            (&[("authorization", "")], "not a key"),
            (&[("authorization", &basic)], "not a key"),
            (&[("authorization", &secret)], "not a key"),
            (&[("authorization", &cut)], "has 40 characters"),
            (&[("authorization", &key), ("authorization", &key)], "not a key"),
            (&[("cookie", "stepwell_session=x.0.9.00")], "session is over"),
        ];
        for (headers, why) in cases {
            let refused = admitted(&gate, headers).unwrap_err();
            assert_eq!(refused.code, Code::Unauthenticated, "{headers:?}");
            assert!(refused.detail.contains(why), "{}", refused.detail);
            assert!(!refused.detail.contains(&secret[14..]), "the key is not repeated");
            let clears = refused.headers.iter().any(|(name, _)| name == "set-cookie");
            assert_eq!(clears, headers.iter().any(|(name, _)| *name == "cookie"));
        }
        // A key in the cookie's place, or the other way round, is none.
        let cookie = format!("stepwell_session={secret}");
        assert!(admitted(&gate, &[("cookie", &cookie)]).is_err());
    }

    #[tokio::test]
    async fn wrong_keys_are_held_back_and_right_ones_pass() {
        let (gate, _, secret) = locked(Role::Viewer).await;
        let wrong = format!("Bearer {}", &secret[..40]);
        let mut codes = Vec::new();
        for _ in 0..40 {
            codes.push(admitted(&gate, &[("authorization", &wrong)]).unwrap_err().code);
        }
        assert_eq!(codes[..30], [Code::Unauthenticated; 30]);
        assert_eq!(codes[31..], [Code::TooManyRequests; 9]);
        let right = format!("Bearer {secret}");
        assert!(admitted(&gate, &[("authorization", &right)]).is_ok());
    }
}
