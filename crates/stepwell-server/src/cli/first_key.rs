//! The first key of a server: without one nobody could make the others.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use stepwell_access::audit::{DONE, Entry};
use stepwell_access::keyring::{Create, draw};
use stepwell_access::{Keyring, Role, Secret, namespace};
use stepwell_core::code::Code;
use stepwell_http::gate::{Mode, entropy, now};
use stepwell_http::problem::Problem;

use super::fault::Fault;
use super::out;
use crate::config::AccessConfig;
use crate::server::Server;

/// What acts where the server makes a key itself.
const BY: &str = "stepwell";

/// Sees to it that a server that wants keys has one, and tells it once.
pub(super) async fn ensure(server: &Server, config: &AccessConfig) -> Result<(), Fault> {
    let keyring = server.keys().keyring();
    if config.mode == Mode::Loopback {
        return Ok(());
    }
    if !keyring.keys(None).is_empty() {
        if keyring.has_no_admin(now()) {
            tracing::warn!(
                "no admin key of namespace `default` is live; stop the server and make one with \
                 `stepwell keys create --data DIR` (or `--store ADDRESS`)"
            );
        }
        return Ok(());
    }
    let file = config.admin_key_file.as_deref();
    let given = file.filter(|file| file.exists()).map(read).transpose()?;
    let is_given = given.is_some();
    let secret = given.map_or_else(|| entropy().map(draw), Ok)?;
    // It counts before it is told: who has heard it may use it at once.
    let kept = secret.clone();
    if !server.keys().change(move |keyring| keep(keyring, &kept)).await? {
        tracing::info!("another node has made the first admin key");
        return Ok(());
    }
    match file {
        Some(file) if !is_given => write(file, &secret).map_err(|error| {
            let text = format!("`admin_key_file`: {} cannot be written: {error}", file.display());
            Fault::refused(Code::ConfigInvalid, text)
        })?,
        Some(_) => {}
        None => {
            out::line(secret.expose())?;
            out::note(
                "this is the first admin key, and it is shown once; keep it, and set STEPWELL_KEY \
                 or --key-file to use it",
            );
        }
    }
    tracing::info!("the first admin key is made");
    Ok(())
}

/// Keeps it, if it is the first; tells whether it is.
fn keep(keyring: &Keyring, secret: &Secret) -> Result<bool, stepwell_access::keyring::Error> {
    let now = now();
    let create = Create {
        name: "first admin key".to_owned(),
        namespace: namespace::DEFAULT.into(),
        role: Role::Admin,
        expires_at: None,
        by: BY.to_owned(),
    };
    let Some(key) = keyring.adopt_first(create, secret, now)? else { return Ok(false) };
    keyring.record(made(key.id.to_string(), "the server had no key"))?;
    Ok(true)
}

/// The audit log's row on a key that was made without the API.
pub(super) fn made(object: String, reason: &str) -> Entry {
    Entry {
        at: now(),
        namespace: namespace::DEFAULT.into(),
        key: None,
        key_name: BY.to_owned(),
        from: String::new(),
        act: "keys.create".to_owned(),
        object,
        reason: Some(reason.to_owned()),
        outcome: DONE.to_owned(),
        of: None,
    }
}

/// Writes a key to a file that is not there yet, which its user alone can read.
pub(super) fn write(file: &Path, secret: &Secret) -> std::io::Result<()> {
    let mut opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    writeln!(opened, "{}", secret.expose())?;
    opened.sync_all()
}

/// Reads a key from a file.
pub(super) fn read(file: &Path) -> Result<Secret, Fault> {
    let refuse = |why: String| {
        let text = format!("{}: {why}; accepted: a file with a key in it", file.display());
        Fault::from(Problem::new(Code::ConfigInvalid, text))
    };
    let mut text = String::new();
    // More than a key is none, however long it is.
    let read = OpenOptions::new().read(true).open(file);
    let read = read.and_then(|opened| opened.take(1_024).read_to_string(&mut text));
    read.map_err(|error| refuse(error.to_string()))?;
    Secret::parse(text.trim()).map_err(|error| refuse(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_of_a_key_is_its_users_alone_and_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let made = draw(entropy().unwrap());
        write(&file, &made).unwrap();
        let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(read(&file).unwrap().expose(), made.expose());
        assert!(write(&file, &made).is_err());
        std::fs::write(&file, "hunter2").unwrap();
        let refused = read(&file).unwrap_err().to_string();
        assert!(refused.contains("SW4005") && refused.contains("accepted"), "{refused}");
        assert!(!refused.contains("hunter2"));
    }
}
