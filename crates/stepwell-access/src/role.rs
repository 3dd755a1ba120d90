//! Roles, rights, and the one table between them.
//!
//! | right | viewer | client | operator | worker | telemetry | admin |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | any | yes | yes | yes | yes | yes | yes |
//! | read | yes | yes | yes | | | yes |
//! | start | | yes | yes | | | yes |
//! | act | | | yes | | | yes |
//! | work | | | | yes | | yes |
//! | telemetry | | | | | yes | yes |
//! | admin | | | | | | yes |
//! | server-read, in `default` | yes | yes | yes | | | yes |
//! | server, in `default` | | | | | | yes |

use std::fmt;
use std::str::FromStr;

/// What a key may be used for, in its namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Sees everything, changes nothing.
    Viewer,
    /// A viewer that starts runs, sends events and cancels.
    Client,
    /// A client that acts on runs, alone and in bulk, deletes, exports and imports.
    Operator,
    /// A runner: takes runs and tells how they go; reads nothing.
    Worker,
    /// Reports what other systems did.
    Telemetry,
    /// Has every right in its namespace; in `default`, on the server.
    Admin,
}

/// What a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// Nothing, not even a key.
    Public,
    /// A key that is live, of any role.
    Any,
    /// To see runs, events, workflows and runners.
    Read,
    /// To start runs, send events, cancel.
    Start,
    /// To act on runs as an operator does, to delete, export and import.
    Act,
    /// To connect as a runner.
    Work,
    /// To report what other systems did.
    Telemetry,
    /// To make and revoke keys of the namespace, and to read its audit log.
    Admin,
    /// To see what concerns the server as a whole, such as its metrics.
    ServerRead,
    /// To administer the server: namespaces, backups, settings.
    Server,
}

/// How far a key reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Its namespace.
    Namespace,
    /// Its namespace and the server: keys of `default`.
    Server,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Viewer, Self::Client, Self::Operator, Self::Worker, Self::Telemetry, Self::Admin];

    /// Returns the word in commands and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Client => "client",
            Self::Operator => "operator",
            Self::Worker => "worker",
            Self::Telemetry => "telemetry",
            Self::Admin => "admin",
        }
    }

    /// Tells whether a key of this role and scope has a right.
    pub const fn grants(self, right: Right, scope: Scope) -> bool {
        let has_server = matches!(scope, Scope::Server);
        let reads = matches!(self, Self::Viewer | Self::Client | Self::Operator | Self::Admin);
        match right {
            Right::Public | Right::Any => true,
            Right::Read => reads,
            Right::Start => matches!(self, Self::Client | Self::Operator | Self::Admin),
            Right::Act => matches!(self, Self::Operator | Self::Admin),
            Right::Work => matches!(self, Self::Worker | Self::Admin),
            Right::Telemetry => matches!(self, Self::Telemetry | Self::Admin),
            Right::Admin => matches!(self, Self::Admin),
            Right::ServerRead => has_server && reads,
            Right::Server => has_server && matches!(self, Self::Admin),
        }
    }

    /// Returns the rights of a key of this role and scope, beside [`Right::Public`].
    pub fn rights(self, scope: Scope) -> Vec<Right> {
        let wanted = |right: &Right| *right != Right::Public && self.grants(*right, scope);
        Right::ALL.into_iter().filter(wanted).collect()
    }
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 10] = [
        Self::Public,
        Self::Any,
        Self::Read,
        Self::Start,
        Self::Act,
        Self::Work,
        Self::Telemetry,
        Self::Admin,
        Self::ServerRead,
        Self::Server,
    ];

    /// Returns the word in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Any => "any",
            Self::Read => "read",
            Self::Start => "start",
            Self::Act => "act",
            Self::Work => "work",
            Self::Telemetry => "telemetry",
            Self::Admin => "admin",
            Self::ServerRead => "server-read",
            Self::Server => "server",
        }
    }

    /// Says what is needed, for an error.
    pub fn needs(self) -> String {
        let has = |role: &Role| role.grants(self, Scope::Server);
        let roles: Vec<_> = Role::ALL.into_iter().filter(has).map(Role::as_str).collect();
        let place = match self {
            Self::ServerRead | Self::Server => " of namespace `default`",
            _ => "",
        };
        format!("a key{place} of the role {}", roles.join(" or "))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The word is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not a role; accepted: viewer, client, operator, worker, telemetry or admin")]
pub struct UnknownRole {
    word: String,
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(word: &str) -> Result<Self, UnknownRole> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == word);
        found.ok_or_else(|| UnknownRole { word: word.chars().take(40).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table in the head of this file is what [`Role::grants`] says.
    #[test]
    fn the_table_is_what_is_granted() {
        let text = include_str!("role.rs");
        let rows = text.lines().take_while(|line| line.starts_with("//!"));
        let cells = |line: &str| -> Vec<String> {
            line.trim_start_matches("//! |").split('|').map(|cell| cell.trim().to_owned()).collect()
        };
        let mut table = rows.filter(|line| line.starts_with("//! |")).map(cells);
        let head = table.next().unwrap();
        let mut seen = 0;
        for row in table.skip(1) {
            let name = row[0].split(',').next().unwrap();
            let right = Right::ALL.into_iter().find(|right| right.as_str() == name).unwrap();
            for (role, cell) in head[1..=6].iter().zip(&row[1..=6]) {
                let role: Role = role.parse().unwrap();
                assert_eq!(role.grants(right, Scope::Server), cell == "yes", "{role} {right}");
                let beyond = matches!(right, Right::ServerRead | Right::Server);
                let within = cell == "yes" && !beyond;
                assert_eq!(role.grants(right, Scope::Namespace), within, "{role} {right}");
                seen += 1;
            }
        }
        assert_eq!(seen, (Right::ALL.len() - 1) * Role::ALL.len());
    }

    #[test]
    fn roles_read_back_and_others_are_refused() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        let refused = "root".parse::<Role>().unwrap_err().to_string();
        assert!(refused.contains("`root`") && refused.contains("accepted: viewer"), "{refused}");
    }
}
