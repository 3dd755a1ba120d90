//! Reading sheets.

use std::io::Result;
use std::path::{Path, PathBuf};

use super::fact::Fact;
use super::pen::ENDING;

/// What one process wrote.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    /// The name of its file, without the ending.
    pub name: String,
    /// Its facts, in the order of writing.
    pub facts: Vec<Fact>,
    /// The last line lacks its end: the process died in the middle of writing it.
    pub torn: bool,
    /// Lines that are no facts.
    pub unreadable: Vec<Unreadable>,
}

/// A line that is no fact.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// Reads a sheet from its text.
pub fn parse(name: &str, text: &[u8]) -> Sheet {
    let mut sheet = Sheet { name: name.to_owned(), ..Sheet::default() };
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    // What follows the last line break is nothing, or a line that was not finished.
    sheet.torn = lines.pop().is_some_and(|rest| !rest.is_empty());
    for (at, line) in lines.into_iter().enumerate() {
        match serde_json::from_slice(line) {
            Ok(fact) => sheet.facts.push(fact),
            Err(why) => sheet.unreadable.push(Unreadable { line: at + 1, why: why.to_string() }),
        }
    }
    sheet
}

/// Reads sheets from files, and all sheets of folders.
///
/// # Errors
/// Those of the file system, with the path.
pub fn load(paths: &[PathBuf]) -> Result<Vec<Sheet>> {
    let mut sheets = Vec::new();
    for path in paths {
        let mut files = Vec::new();
        if path.is_dir() {
            for entry in path.read_dir().map_err(|error| at(path, &error))? {
                files.push(entry?.path());
            }
            files.retain(|file| file.extension().is_some_and(|ending| ending == ENDING));
            files.sort();
        } else {
            files.push(path.clone());
        }
        for file in files {
            let text = std::fs::read(&file).map_err(|error| at(&file, &error))?;
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            sheets.push(parse(&name, &text));
        }
    }
    Ok(sheets)
}

fn at(path: &Path, error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::super::{Pen, Target, What};
    use super::*;

    fn kill(victim: &str) -> What {
        What::Kill { target: Target::Runner, victim: victim.into() }
    }

    #[test]
    fn what_was_noted_is_read_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let pen = Pen::begin(folder.path(), "runner-1").unwrap();
        pen.note(kill("a")).unwrap();
        pen.note(kill("b")).unwrap();
        Pen::begin(folder.path(), "runner-2").unwrap().note(kill("c")).unwrap();
        std::fs::write(folder.path().join("server.log"), "no sheet").unwrap();

        let sheets = load(&[folder.path().to_owned()]).unwrap();
        let names: Vec<&str> = sheets.iter().map(|sheet| sheet.name.as_str()).collect();
        assert_eq!(names, ["runner-1", "runner-2"]);
        let read: Vec<&What> = sheets[0].facts.iter().map(|fact| &fact.what).collect();
        assert_eq!(read, [&kill("a"), &kill("b")]);
        assert!(sheets[0].facts[0].at.mono_ns <= sheets[0].facts[1].at.mono_ns);
        assert!(sheets.iter().all(|sheet| !sheet.torn && sheet.unreadable.is_empty()));
    }

    #[test]
    fn a_process_has_one_sheet() {
        let folder = tempfile::tempdir().unwrap();
        Pen::begin(folder.path(), "runner-1").unwrap();
        let error = Pen::begin(folder.path(), "runner-1").unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn torn_and_unreadable_lines_are_told_apart() {
        let whole = concat!(
            r#"{"at":{"wall_us":1,"mono_ns":2},"process":"p","#,
            r#""what":{"kind":"kill","target":"server","victim":"v"}}"#
        );
        let sheet = parse("p", format!("{whole}\n{whole}\n").as_bytes());
        assert_eq!((sheet.facts.len(), sheet.torn, sheet.unreadable.len()), (2, false, 0));
        let sheet = parse("p", format!("{whole}\n{}", &whole[..20]).as_bytes());
        assert_eq!((sheet.facts.len(), sheet.torn, sheet.unreadable.len()), (1, true, 0));
        let text = format!("{}\n\n{}\n{whole}\n", &whole[..20], whole.replace("server", "node"));
        let sheet = parse("p", text.as_bytes());
        let lines: Vec<usize> = sheet.unreadable.iter().map(|bad| bad.line).collect();
        assert_eq!((sheet.facts.len(), sheet.torn, lines), (1, false, vec![1, 2, 3]));
    }
}
