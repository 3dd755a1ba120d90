//! Stable codes of errors that a person can meet; each has a page in `docs/errors`.

use core::fmt;

macro_rules! codes {
    ($($name:ident = $number:literal, $slug:literal, $status:literal, $title:literal;)*) => {
        /// A stable code: `SW` and four digits.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// Every code, in the order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Returns the code as text, such as `SW1001`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => concat!("SW", $number),)* }
            }

            /// Returns the short name in addresses and logs, such as `unknown-run`.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// Returns the HTTP status that answers carry with this code.
            pub const fn http_status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Returns one sentence that says what is wrong in general.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    BadRequest = 1001, "bad-request", 400, "The request is not understood";
    UnknownRoute = 1002, "unknown-route", 404, "There is nothing at this address";
    MethodNotAllowed = 1003, "method-not-allowed", 405, "This address does not take this method";
    UnsupportedMedia = 1004, "unsupported-media", 415, "The body is not of a type that is read here";
    BodyTooLarge = 1005, "body-too-large", 413, "The body is over the limit";
    Forbidden = 1006, "forbidden", 403, "This request is not allowed from where it comes";
    Internal = 1007, "internal", 500, "The server met a state that it does not expect";
    Unavailable = 1008, "unavailable", 503, "The server cannot take this now";
    DiskFull = 1009, "disk-full", 507, "The disk has less free space than the reserve";
    Unauthenticated = 1010, "unauthenticated", 401, "The request has no key that is known here";
    NotPermitted = 1011, "not-permitted", 403, "The key's role does not allow this";
    TooManyRequests = 1012, "too-many-requests", 429, "There were too many requests";
    UnknownAccess = 1013, "unknown-access", 404, "There is no such key or namespace";
    AccessConflict = 1014, "access-conflict", 409, "The key or namespace is not in a state for this";
    InDoubt = 1015, "in-doubt", 503, "It is not known whether this was done";
    UnknownRun = 2001, "unknown-run", 404, "There is no such run";
    UnknownWorkflow = 2002, "unknown-workflow", 404, "No runner has ever registered this workflow";
    AmbiguousWorkflow = 2003, "ambiguous-workflow", 409, "Several apps have a workflow of this name";
    KeyConflict = 2004, "key-conflict", 409, "The idempotency key was used with another input";
    ActRefused = 2005, "act-refused", 409, "The run is not in a state for this act";
    InputInvalid = 2006, "input-invalid", 422, "The input does not fit the workflow";
    PayloadTooLarge = 2007, "payload-too-large", 413, "A payload is over the limit";
    Quarantined = 2009, "quarantined", 500, "The stored history of this run is damaged";
    UnknownEvent = 2010, "unknown-event", 404, "There is no such event";
    AmbiguousKey = 2011, "ambiguous-key", 409, "Several runs were started with this idempotency key";
    ForkRefused = 2012, "fork-refused", 422, "No run can be made of this one like this";
    ImportRefused = 2013, "import-refused", 422, "The bundle, or a run in it, cannot be imported";
    ImportConflict = 2014, "import-conflict", 409, "Another run has the id or the key of an imported one";
    UnknownBulk = 2015, "unknown-bulk", 404, "There is no such act on many runs";
    UnknownFlow = 2016, "unknown-flow", 404, "There is no such flow, or no such observed run in it";
    Protocol = 3001, "protocol", 400, "A worker message is not understood";
    VersionSkew = 3002, "version-skew", 426, "The SDK and the server do not speak the same protocol";
    RegistrationInvalid = 3003, "registration-invalid", 422, "What the runner registers is not accepted";
    FrameTooLarge = 3005, "frame-too-large", 413, "A worker frame is over the limit";
    FolderLocked = 4001, "folder-locked", 409, "Another process owns the data folder";
    FormatUnknown = 4002, "format-unknown", 409, "The data folder has a format that this version does not read";
    LogCorrupt = 4003, "log-corrupt", 500, "The log is damaged before its synced end";
    StoreFailed = 4004, "store-failed", 500, "The store failed and stopped taking writes";
    ConfigInvalid = 4005, "config-invalid", 400, "The configuration is not accepted";
    ListenRefused = 4006, "listen-refused", 400, "Listening on this address is refused";
    FolderUnusable = 4007, "folder-unusable", 500, "The data folder cannot be used";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
