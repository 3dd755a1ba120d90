//! The one door: every request passes here before anything else looks at it.
//!
//! It lets in only what comes from this machine on purpose. A web page that the user happens to visit can
//! make the browser send requests to loopback too; what such a request cannot choose are its `Host`,
//! `Origin` and `Sec-Fetch-Site`.
//!
//! Who is let in is an [`Admission`], which only [`Gate::admit`] makes; [`guard`], which stands before each
//! route of the table, holds its caller's role against the right that the table says. Handlers take a
//! [`Caller`], which comes from there alone: a route that is not behind the door cannot be written by
//! accident.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri, header};
use axum::middleware::Next;
use axum::response::IntoResponse;
use stepwell_access::{KeyId, Right, Role, Scope, namespace};
use stepwell_core::code::Code;

use crate::problem::Problem;

/// Most bytes of all headers together.
pub const HEADER_BYTES_MAX: usize = 8 * 1024;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who sent a request. The namespace comes from here and from nowhere else (§1).
#[derive(Clone, Debug)]
pub struct Caller {
    namespace: Arc<str>,
    role: Role,
    key: Option<CallerKey>,
}

/// The key that a request came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerKey {
    /// Its id.
    pub id: KeyId,
    /// What people call it.
    pub name: Arc<str>,
}

impl Caller {
    /// Returns the namespace that the request may see and change.
    pub fn namespace(&self) -> Arc<str> {
        Arc::clone(&self.namespace)
    }

    /// Returns the role.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Returns the key; `None` where none is needed.
    pub fn key(&self) -> Option<&CallerKey> {
        self.key.as_ref()
    }

    /// Returns how far the caller reaches.
    pub fn scope(&self) -> Scope {
        if *self.namespace == *namespace::DEFAULT { Scope::Server } else { Scope::Namespace }
    }

    /// Tells whether the caller has a right.
    pub fn may(&self, right: Right) -> bool {
        self.role.grants(right, self.scope())
    }

    /// Checks that the caller has a right.
    fn permit(&self, right: Right) -> Result<(), Problem> {
        if self.may(right) {
            return Ok(());
        }
        let detail = format!(
            "a key of the role {} in namespace `{}` may not do this; accepted: {}",
            self.role,
            self.namespace,
            right.needs()
        );
        Err(Problem::new(Code::NotPermitted, detail))
    }
}

/// Who a request is of, or why that is nobody.
#[derive(Clone, Debug)]
pub struct Admission(Result<Caller, Problem>);

/// Stands before a route: lets a request through whose caller has the right.
pub(crate) async fn guard(right: Right, request: Request<Body>, next: Next) -> Response<Body> {
    if right != Right::Public {
        let admission = request.extensions().get::<Admission>();
        let caller = admission.map_or_else(|| Err(not_admitted()), |found| found.0.clone());
        if let Err(problem) = caller.and_then(|caller| caller.permit(right)) {
            tracing::debug!(code = %problem.code, detail = problem.detail, "refused at the gate");
            return problem.into_response();
        }
    }
    next.run(request).await
}

/// Decides who is let in.
#[derive(Clone, Debug)]
pub struct Gate {
    port: u16,
    namespace: Arc<str>,
}

impl Gate {
    /// Makes the gate of a server that listens on `address`.
    ///
    /// # Errors
    /// [`Code::ListenRefused`] when other machines could reach the address.
    pub fn new(address: SocketAddr) -> Result<Self, Problem> {
        if !address.ip().is_loopback() {
            return Err(Problem::new(
                Code::ListenRefused,
                format!(
                    "{address} can be reached from other machines, and this version has no access \
                     control, which comes later; accepted: a loopback address such as \
                     127.0.0.1:{port} or [::1]:{port}",
                    port = address.port()
                ),
            ));
        }
        Ok(Self { port: address.port(), namespace: Arc::from(namespace::DEFAULT) })
    }

    /// Lets a request in, or says why not.
    ///
    /// # Errors
    /// [`Code::Forbidden`] when it comes from elsewhere; [`Code::BadRequest`] when its headers are
    /// over [`HEADER_BYTES_MAX`].
    pub fn admit(
        &self,
        peer: SocketAddr,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Admission, Problem> {
        self.admit_page(peer, uri, headers)?;
        self.check_origin(headers)?;
        check_fetch_site(headers)?;
        // Whoever may reach loopback may do everything: there is no key to tell them apart by.
        let namespace = Arc::clone(&self.namespace);
        Ok(Admission(Ok(Caller { namespace, role: Role::Admin, key: None })))
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
        if !peer.ip().to_canonical().is_loopback() {
            return Err(forbidden("the request comes from another machine"));
        }
        let bytes = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
        let bytes: usize = bytes.sum();
        if bytes > HEADER_BYTES_MAX {
            return Err(Problem::bad_request(format!(
                "the headers have {bytes} bytes; accepted: at most {HEADER_BYTES_MAX}"
            )));
        }
        self.check_host(uri, headers)
    }

    fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host,
            (None, _) => return Err(forbidden("the header Host is missing")),
            (Some(_), Some(_)) => return Err(forbidden("the header Host is there twice")),
        };
        let target = uri.authority().map_or("", |authority| authority.as_str());
        let accepted = |text: &str| self.is_ours(text);
        if !host.to_str().is_ok_and(accepted) || !(target.is_empty() || accepted(target)) {
            let found = if target.is_empty() { shown(host) } else { target.to_owned() };
            return Err(forbidden(&format!(
                "the host `{found}` is not this server; accepted: localhost, 127.0.0.1 or [::1], \
                 with :{}",
                self.port
            )));
        }
        Ok(())
    }

    fn check_origin(&self, headers: &HeaderMap) -> Result<(), Problem> {
        for origin in headers.get_all(header::ORIGIN) {
            let host = origin.to_str().ok().and_then(|text| text.strip_prefix("http://"));
            if !host.is_some_and(|host| self.is_ours(host)) {
                return Err(forbidden(&format!(
                    "the origin `{}` is not this server; pages of other sites may not use it",
                    shown(origin)
                )));
            }
        }
        Ok(())
    }

    fn is_ours(&self, authority: &str) -> bool {
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
            _ => (authority, Some(80)),
        };
        let known = ["localhost", "127.0.0.1", "[::1]"];
        port == Some(self.port) && known.iter().any(|one| one.eq_ignore_ascii_case(host))
    }
}

/// Handlers ask for the caller that the gate put into the request; without one they refuse.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let admission = parts.extensions.get::<Admission>();
        admission.map_or_else(|| Err(not_admitted()), |found| found.0.clone())
    }
}

/// Handlers of public routes ask whether there is a caller at all.
impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Problem> {
        Ok(parts.extensions.get::<Admission>().and_then(|found| found.0.clone().ok()))
    }
}

fn not_admitted() -> Problem {
    forbidden("the request did not pass the gate")
}

fn check_fetch_site(headers: &HeaderMap) -> Result<(), Problem> {
    for site in headers.get_all(SEC_FETCH_SITE) {
        // `same-site` is another port of this machine: another program's page.
        if site != "same-origin" && site != "none" {
            return Err(forbidden(&format!(
                "the browser says that the request comes from another site (Sec-Fetch-Site: {})",
                shown(site)
            )));
        }
    }
    Ok(())
}

fn forbidden(detail: &str) -> Problem {
    Problem::new(Code::Forbidden, detail)
}

fn shown(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &str = "127.0.0.1:50000";

    #[track_caller]
    fn check(headers: &[(&str, &str)], uri: &str) -> Result<(), Problem> {
        let gate = Gate::new("127.0.0.1:7878".parse().unwrap()).unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        let admitted = gate.admit(LOCAL.parse().unwrap(), &uri.parse().unwrap(), &map);
        let caller = admitted?.0?;
        assert_eq!((&*caller.namespace, caller.role), ("default", Role::Admin));
        Ok(())
    }

    #[test]
    fn this_machine_is_let_in_by_its_names() {
        for host in ["localhost:7878", "127.0.0.1:7878", "[::1]:7878", "LOCALHOST:7878"] {
            assert_eq!(check(&[("host", host)], "/healthz"), Ok(()), "{host}");
            let origin = format!("http://{host}");
            let headers = [("host", host), ("origin", &*origin), ("sec-fetch-site", "same-origin")];
            assert_eq!(check(&headers, "/healthz"), Ok(()), "{origin}");
        }
    }

    #[test]
    fn other_names_origins_and_sites_are_refused() {
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
            let refused = check(headers, "/healthz").unwrap_err();
            assert_eq!(refused.code, Code::Forbidden, "{headers:?}");
        }
        assert!(check(&[ours], "http://rebound.example:7878/healthz").is_err());
    }

    #[test]
    fn other_machines_and_long_headers_are_refused() {
        let gate = Gate::new("127.0.0.1:7878".parse().unwrap()).unwrap();
        let far = "192.0.2.1:4000".parse().unwrap();
        let refused = gate.admit(far, &Uri::from_static("/"), &HeaderMap::new());
        assert_eq!(refused.unwrap_err().code, Code::Forbidden);
        let long = "x".repeat(9_000);
        let refused = check(&[("host", "localhost:7878"), ("cookie", &long)], "/").unwrap_err();
        assert!(refused.detail.contains("at most 8192"), "{}", refused.detail);
    }

    #[test]
    fn listening_elsewhere_than_on_loopback_is_refused() {
        for address in ["0.0.0.0:7878", "[::]:7878", "192.168.0.2:1", "[::ffff:192.0.2.1]:1"] {
            let refused = Gate::new(address.parse().unwrap()).unwrap_err();
            assert_eq!(refused.code, Code::ListenRefused, "{address}");
            assert!(refused.detail.contains("access control, which comes later"));
        }
        assert!(Gate::new("[::1]:0".parse().unwrap()).is_ok());
    }
}
