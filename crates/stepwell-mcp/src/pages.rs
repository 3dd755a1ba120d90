//! The documents as resources.

use rmcp::ErrorData;
use rmcp::model::{Resource, ResourceContents};

/// What stands in front of a page's path.
const SCHEME: &str = "stepwell://docs/";

/// The type of all of them (RFC 7763).
const MARKDOWN: &str = "text/markdown";

/// Decisions are for people who change the code.
const LEFT_OUT: &str = "adr/";

/// Returns the address of the page about a code.
pub(crate) fn of_code(code: &str) -> String {
    format!("{SCHEME}errors/{code}.md")
}

/// Lists the pages.
pub(crate) fn list() -> Vec<Resource> {
    let pages = stepwell_docs::all().into_iter().filter(|page| !page.path.starts_with(LEFT_OUT));
    let resource = |page: stepwell_docs::Page| {
        Resource::new(format!("{SCHEME}{}", page.path), page.topic())
            .with_title(page.title())
            .with_mime_type(MARKDOWN)
            .with_size(page.text.len() as u64)
    };
    pages.map(resource).collect()
}

/// Reads a page.
pub(crate) fn read(uri: &str) -> Result<ResourceContents, ErrorData> {
    let path = uri.strip_prefix(SCHEME);
    let page = path.and_then(|path| stepwell_docs::all().into_iter().find(|one| one.path == path));
    let page = page.ok_or_else(|| {
        let text =
            format!("there is no resource `{uri}`; resources/list names those that there are");
        ErrorData::resource_not_found(text, None)
    })?;
    Ok(ResourceContents::text(page.text, uri).with_mime_type(MARKDOWN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_that_is_listed_can_be_read() {
        let listed = list();
        for uri in [format!("{SCHEME}llms.txt"), of_code("SW2001")] {
            assert!(listed.iter().any(|one| one.uri == uri), "{uri}");
        }
        assert!(listed.iter().all(|one| read(&one.uri).is_ok()));
        for uri in ["stepwell://docs/../Cargo.toml", "file:///etc/passwd", "llms.txt", ""] {
            let error = read(uri).unwrap_err();
            assert!(error.message.contains("resources/list"), "{}", error.message);
        }
    }
}
