//! The pages, and how one is found.

use std::borrow::Cow;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../docs"]
#[include = "**/*.md"]
#[include = "llms.txt"]
struct Docs;

/// Most topics that are named where none fits.
const NEAR_MAX: usize = 8;

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its path below `docs`, such as `errors/SW2001.md`.
    pub path: String,
    /// Its text, in Markdown.
    pub text: Cow<'static, str>,
}

/// There is no page on what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no page on `{asked}`; there is: {}", .near.join(", "))]
pub struct Unknown {
    /// What was asked for.
    pub asked: String,
    /// Topics that come near to it, or some.
    pub near: Vec<String>,
}

impl Page {
    /// Returns how the page is asked for: its path without the ending.
    pub fn topic(&self) -> &str {
        self.path.strip_suffix(".md").unwrap_or(&self.path)
    }

    /// Returns its heading.
    pub fn title(&self) -> &str {
        let heading = self.text.lines().find_map(|line| line.strip_prefix("# "));
        heading.unwrap_or_else(|| self.topic())
    }
}

/// Returns every page, by path.
pub fn all() -> Vec<Page> {
    let mut paths: Vec<String> = Docs::iter().map(Cow::into_owned).collect();
    paths.sort_unstable();
    paths.into_iter().filter_map(read).collect()
}

/// Finds a page by its topic, in capitals or not: `api`, `SW2001`, `adr/0013`.
///
/// # Errors
/// [`Unknown`] where there is none, or several begin so.
pub fn find(topic: &str) -> Result<Page, Unknown> {
    let asked = topic.trim().trim_start_matches("./").to_lowercase();
    let asked = asked.strip_suffix(".md").unwrap_or(&asked);
    let pages = all();
    let is = |page: &&Page, wanted: &str| page.topic().to_lowercase() == wanted;
    let codes = format!("errors/{asked}");
    let index = format!("{asked}/readme");
    let exact = [asked, &codes, &index, &format!("{asked}.txt")]
        .into_iter()
        .find_map(|wanted| pages.iter().find(|page| is(page, wanted)));
    let mut begin = pages.iter().filter(|page| {
        let topic = page.topic().to_lowercase();
        let name = topic.rsplit('/').next().unwrap_or(&topic);
        !asked.is_empty() && (topic.starts_with(asked) || name.starts_with(asked))
    });
    let found = exact.or_else(|| match (begin.next(), begin.next()) {
        (Some(page), None) => Some(page),
        _ => None,
    });
    found.cloned().ok_or_else(|| Unknown { asked: topic.to_owned(), near: near(&pages, asked) })
}

fn read(path: String) -> Option<Page> {
    let text = match Docs::get(&path)?.data {
        Cow::Borrowed(bytes) => Cow::Borrowed(std::str::from_utf8(bytes).ok()?),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).ok()?),
    };
    Some(Page { path, text })
}

/// Names topics that hold the text, or those at the top.
fn near(pages: &[Page], asked: &str) -> Vec<String> {
    let named = |fits: &dyn Fn(&str) -> bool| -> Vec<String> {
        let topics = pages.iter().map(Page::topic).filter(|topic| fits(topic));
        topics.take(NEAR_MAX).map(ToOwned::to_owned).collect()
    };
    let near = named(&|topic| !asked.is_empty() && topic.to_lowercase().contains(asked));
    if near.is_empty() { named(&|topic| !topic.contains('/')) } else { near }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_found_by_what_people_type() {
        for (topic, path) in [
            ("api", "api.md"),
            ("API.md", "api.md"),
            ("SW2001", "errors/SW2001.md"),
            ("sw2001", "errors/SW2001.md"),
            ("errors", "errors/README.md"),
            ("adr/0013", "adr/0013-console-in-the-binary.md"),
            ("0013", "adr/0013-console-in-the-binary.md"),
            ("llms", "llms.txt"),
            ("llms.txt", "llms.txt"),
        ] {
            assert_eq!(find(topic).map(|page| page.path), Ok(path.to_owned()), "{topic}");
        }
    }

    #[test]
    fn what_is_not_there_names_what_is_near() {
        let near = |topic| find(topic).unwrap_err().near;
        assert_eq!(near("console-in"), ["adr/0013-console-in-the-binary"]);
        assert!(near("SW10").len() > 1, "several begin so");
        assert!(near("nothing of this").contains(&"api".to_owned()));
        assert!(near("").contains(&"api".to_owned()));
        let text = find("../Cargo.toml").unwrap_err().to_string();
        assert!(text.contains("there is no page on `../Cargo.toml`; there is: "), "{text}");
    }

    #[test]
    fn every_page_has_a_heading_and_no_picture_is_embedded() {
        let pages = all();
        assert!(pages.len() > 40, "{} pages", pages.len());
        for page in &pages {
            assert!(page.text.starts_with("# "), "{}", page.path);
            assert_ne!(page.title(), page.topic());
        }
        let bytes: usize = pages.iter().map(|page| page.text.len()).sum();
        assert!(bytes < 1024 * 1024, "{bytes} bytes");
    }
}
