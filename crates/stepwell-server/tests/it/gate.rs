//! Every route refuses what does not come from this machine on purpose.

use stepwell_http::api::routes;

use crate::support::{exchange, request, server, status};

/// Proves it for the table that the router is made of, so that a new route is covered at once.
#[tokio::test]
async fn every_route_refuses_foreign_hosts_origins_and_sites() {
    let server = server().await;
    let to = server.address();
    let routes = routes();
    assert!(routes.len() >= 9);
    for route in routes {
        let path = route.path.replace("{run}", "run_00000000000000000000000000000001");
        let line = format!("{} {path}", route.method);
        let foreign = ["rebound.example", "localhost", "127.0.0.1:1", "[::1]"];
        for host in foreign {
            let raw = format!("{line} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
            let refused = exchange(to, raw.as_bytes()).await;
            assert_eq!((refused.status, refused.text("code")), (403, "SW1006".into()), "{line}");
        }
        let absent = exchange(to, format!("{line} HTTP/1.0\r\n\r\n").as_bytes()).await;
        assert_eq!(absent.status, 403, "{line} without a host");
        for header in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let refused = request(to, &line, &[header], b"").await;
            assert_eq!((refused.status, refused.text("code")), (403, "SW1006".into()), "{line}");
        }
        let ours = status(to, &line, ("origin", &format!("http://{to}"))).await;
        assert_ne!(ours, 403, "{line}");
    }
}

#[tokio::test]
async fn other_addresses_and_methods_are_behind_the_gate_too() {
    let server = server().await;
    let to = server.address();
    for line in ["POST /runs", "GET /nothing", "DELETE /api/v1/runs", "OPTIONS /api/v1/runs"] {
        let refused = request(to, line, &[("origin", "https://evil.example")], b"").await;
        assert_eq!(refused.status, 403, "{line}");
        assert!(!refused.headers.contains("access-control"), "{line}");
    }
}

/// A link to a page of the console may be followed from anywhere, since the page holds no data; the machine's
/// own names are asked for all the same.
#[tokio::test]
async fn pages_of_the_console_are_shown_wherever_the_link_stood() {
    let server = server().await;
    let to = server.address();
    let followed = request(to, "GET /runs/run_1", &[("sec-fetch-site", "cross-site")], b"").await;
    assert_eq!(followed.status, 200);
    assert!(followed.headers.contains("content-security-policy: default-src 'none'"));
    let raw = "GET /runs HTTP/1.1\r\nhost: rebound.example\r\nconnection: close\r\n\r\n";
    assert_eq!(exchange(to, raw.as_bytes()).await.status, 403);
}
