//! No module of the sources needs itself: the graph of who uses whose items has no cycle.
//!
//! # What counts as an import
//! A module is a file. It imports another one if its code, tests left out, names an item of that
//! one by a path: in a `use` line, or inline (`crate::a::b()`, `super::C`, or `a::b()` where `a` is
//! a child or was brought in by `use`).
//!
//! - A path counts for the module in which the item is defined. Re-exports are followed: who uses
//!   `crate::mailbox::Mailbox` imports `mailbox::open`, and not `mailbox`.
//! - A parent that declares a child (`mod child;`) or re-exports its items imports nothing, unless
//!   its own code uses the names it re-exports. So children may use what their parent defines as
//!   long as the parent's code does without them, and a parent may use its children as long as they
//!   do without it. Both at once are a cycle: then what the children share wants its own file.
//! - A visibility (`pub(in crate::mailbox)`) and a link in a comment are no imports.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

/// A module's path below the crate, `["mailbox", "open"]`; the crate itself has none.
type Module = Vec<String>;

#[test]
fn no_module_imports_itself_by_way_of_others() {
    let sources = Sources::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let cycles = cycles(&sources.imports());
    assert!(
        cycles.is_empty(),
        "imports that go in a circle: {cycles:#?}"
    );
}

#[test]
fn cycles_are_found_as_the_rule_says() {
    type File = (&'static str, &'static str);
    let rows: [(&[File], &[&str]); 9] = [
        (
            &[("a", "use crate::b::B;"), ("b", "use super::a::A;")],
            &["a → b → a"],
        ),
        (
            &[("a", "use crate::b::B;"), ("b", "fn f() { crate::a::f() }")],
            &["a → b → a"],
        ),
        (
            &[
                ("a", "use crate::b;\nfn f() { b::f() }"),
                ("b", "use crate::{a::{self, A}, c};"),
                ("c", ""),
            ],
            &["a → b → a"],
        ),
        // Declaring, re-exporting, comments, strings, tests and visibilities are no imports.
        (
            &[("a", "mod b;\npub use b::B;"), ("a/b", "use super::A;")],
            &[],
        ),
        (
            &[
                ("a", "use crate::b::B;"),
                (
                    "b",
                    "// crate::a::A\n/// [`crate::a::A`]\npub(in crate::a) fn f() { \"crate::a::A\" }\n#[cfg(test)]\nmod tests { use crate::a::A; }",
                ),
            ],
            &[],
        ),
        // A parent that uses what it re-exports, and a child that uses what the parent defines.
        (
            &[
                ("a", "mod b;\npub use b::B;\nfn f(b: B) {}"),
                ("a/b", "use super::A;"),
            ],
            &["a → a::b → a"],
        ),
        (
            &[("a", "mod b;\nuse b::B;"), ("a/b", "use super::A;")],
            &["a → a::b → a"],
        ),
        // A re-export is followed to the module that defines the item.
        (
            &[
                ("a", "mod b;\nmod c;\npub use b::B;"),
                ("a/b", "use crate::a::c::C;"),
                ("a/c", "use super::B;"),
            ],
            &["a::b → a::c → a::b"],
        ),
        (
            &[
                ("a", "mod b;\nmod c;\npub use b::B;"),
                ("a/b", ""),
                ("a/c", "use super::B;"),
            ],
            &[],
        ),
    ];
    for (files, expected) in rows {
        let mut sources = Sources::default();
        for (path, text) in files {
            sources.add(path.split('/').map(str::to_owned).collect(), text);
        }
        assert_eq!(cycles(&sources.imports()), expected, "{files:?}");
    }
}

/// The tokens of each module.
#[derive(Default)]
struct Sources(BTreeMap<Module, Vec<String>>);

/// A path as a module writes it, with how it stands there.
struct Used {
    segments: Vec<String>,
    /// The name that a `use` line gives it; none for an inline path.
    name: Option<String>,
    is_public: bool,
}

impl Sources {
    fn read(root: &Path) -> Sources {
        let mut sources = Sources::default();
        sources.read_below(root, &[]);
        sources
    }

    fn read_below(&mut self, directory: &Path, parent: &[String]) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let mut module = parent.to_vec();
            if !["mod", "lib"].contains(&name.as_str()) {
                module.push(name.clone());
            }
            // Modules of tests may use whatever they test with.
            if name == "tests" {
            } else if path.is_dir() {
                self.read_below(&path, &module);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                self.add(module, &fs::read_to_string(&path).unwrap());
            }
        }
    }

    fn add(&mut self, module: Module, text: &str) {
        self.0.entry(vec![]).or_default();
        self.0.insert(module, without_tests(tokens(text)));
    }

    /// Returns for each module those that it imports.
    fn imports(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let uses: BTreeMap<&Module, Vec<Used>> = self
            .0
            .iter()
            .map(|(module, tokens)| (module, used(tokens)))
            .collect();
        let mut imports = BTreeMap::new();
        for (module, used) in &uses {
            let names = names_outside_use(&self.0[*module]);
            let counts = |used: &&Used| {
                !used.is_public || used.name.as_ref().is_some_and(|name| names.contains(name))
            };
            let found = used
                .iter()
                .filter(counts)
                .filter_map(|used| self.home(module, &used.segments, used.name.is_some(), &uses, 0))
                .filter(|home| home != *module && !home.is_empty())
                .collect();
            imports.insert((*module).clone(), found);
        }
        imports
    }

    /// Returns the module that defines what a path names, if it is one of ours.
    ///
    /// A `use` line that names a module only makes its name shorter.
    fn home(
        &self,
        from: &Module,
        segments: &[String],
        is_use: bool,
        uses: &BTreeMap<&Module, Vec<Used>>,
        depth: usize,
    ) -> Option<Module> {
        // Two names for each other would be no Rust.
        if depth > 16 {
            return None;
        }
        let mut rest = segments;
        let mut module = match rest[0].as_str() {
            "crate" => vec![],
            "self" => from.clone(),
            "super" => from[..from.len().checked_sub(1)?].to_vec(),
            _ => {
                // A child, or what a `use` line has brought in.
                let child = [&from[..], &rest[..1]].concat();
                if self.0.contains_key(&child) {
                    from.clone()
                } else {
                    let line = uses[from].iter().find(|used| {
                        used.name.as_ref() == Some(&rest[0]) && used.segments[0] != rest[0]
                    })?;
                    let whole = [&line.segments[..], &rest[1..]].concat();
                    return self.home(from, &whole, is_use, uses, depth + 1);
                }
            }
        };
        if ["crate", "self", "super"].contains(&rest[0].as_str()) {
            rest = &rest[1..];
        }
        while let Some(next) = rest.first() {
            let child = [&module[..], std::slice::from_ref(next)].concat();
            if next == "super" {
                module.pop();
            } else if self.0.contains_key(&child) {
                module = child;
            } else {
                break;
            }
            rest = &rest[1..];
        }
        let Some(item) = rest.first() else {
            return (!is_use).then_some(module);
        };
        let exported = uses[&module]
            .iter()
            .find(|used| module != *from && used.name.as_ref() == Some(item));
        match exported {
            Some(line) => {
                let whole = [&line.segments[..], &rest[1..]].concat();
                self.home(&module, &whole, is_use, uses, depth + 1)
            }
            None => Some(module),
        }
    }
}

/// Splits a source into names, `::` and single characters; comments and what is quoted are left out.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    let starts =
        |at: usize, what: &str| chars[at..].iter().take(what.len()).collect::<String>() == what;
    while at < chars.len() {
        let c = chars[at];
        if starts(at, "//") {
            while at < chars.len() && chars[at] != '\n' {
                at += 1;
            }
        } else if c == '"' {
            let hashes = chars[..at].iter().rev().take_while(|c| **c == '#').count();
            let is_raw = at > hashes && chars[at - hashes - 1] == 'r';
            let end = format!(
                "\"{}",
                if is_raw {
                    "#".repeat(hashes)
                } else {
                    String::new()
                }
            );
            at += 1;
            while at < chars.len() && !starts(at, &end) {
                at += if chars[at] == '\\' && !is_raw { 2 } else { 1 };
            }
            at += end.len();
            found.push("\"".to_owned());
        } else if c == '\'' && chars.get(at + 1) == Some(&'\\') {
            at += 3;
            while at < chars.len() && chars[at] != '\'' {
                at += 1;
            }
            at += 1;
        } else if c == '\'' && chars.get(at + 2) == Some(&'\'') {
            at += 3;
        } else if c.is_alphanumeric() || c == '_' {
            let name: String = chars[at..]
                .iter()
                .take_while(|c| c.is_alphanumeric() || **c == '_')
                .collect();
            at += name.chars().count();
            found.push(name);
        } else if starts(at, "::") {
            at += 2;
            found.push("::".to_owned());
        } else {
            at += 1;
            if !c.is_whitespace() {
                found.push(c.to_string());
            }
        }
    }
    found
}

/// Leaves out each item behind `#[cfg(test)]`.
fn without_tests(tokens: Vec<String>) -> Vec<String> {
    let mark = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut rest = &tokens[..];
    while let Some((first, behind)) = rest.split_first() {
        if !(rest.len() >= mark.len() && rest.iter().zip(mark).all(|(token, mark)| token == mark)) {
            kept.push(first.clone());
            rest = behind;
            continue;
        }
        let mut depth = 0;
        rest = &rest[mark.len()..];
        while let Some((first, behind)) = rest.split_first() {
            rest = behind;
            match first.as_str() {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                _ => {}
            }
            if depth == 0 && (first == ";" || first == "}" || first == ",") {
                break;
            }
        }
    }
    kept
}

/// Returns the paths of a source.
fn used(tokens: &[String]) -> Vec<Used> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let before = at
            .checked_sub(1)
            .map_or("", |before| tokens[before].as_str());
        if tokens[at] == "use" && before != "+" && before != ":" && before != "<" && before != "," {
            let is_public = before == "pub" || before == ")";
            let mut paths = Vec::new();
            at = tree(tokens, at + 1, &[], &mut paths);
            found.extend(paths.into_iter().map(|(segments, name)| Used {
                segments,
                name: Some(name),
                is_public,
            }));
        } else if tokens.get(at + 1).is_some_and(|next| next == "::")
            && is_name(&tokens[at])
            && !["::", ".", "in"].contains(&before)
        {
            let mut segments = vec![tokens[at].clone()];
            while tokens.get(at + 1).is_some_and(|next| next == "::")
                && tokens.get(at + 2).is_some_and(|next| is_name(next))
            {
                at += 2;
                segments.push(tokens[at].clone());
            }
            found.push(Used {
                segments,
                name: None,
                is_public: false,
            });
            at += 1;
        } else {
            at += 1;
        }
    }
    found
}

/// Reads one tree of a `use` line, with the names it gives; returns where it ends.
fn tree(
    tokens: &[String],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<(Vec<String>, String)>,
) -> usize {
    let mut segments = prefix.to_vec();
    loop {
        match tokens[at].as_str() {
            "{" => {
                at += 1;
                while tokens[at] != "}" {
                    at = tree(tokens, at, &segments, found);
                    at += usize::from(tokens[at] == ",");
                }
                return at + 1;
            }
            "::" => at += 1,
            "as" => {
                found.push((segments, tokens[at + 1].clone()));
                return at + 2;
            }
            "self" if !segments.is_empty() => at += 1,
            "," | "}" | ";" => {
                let name = segments.last().cloned().unwrap_or_default();
                found.push((segments, name));
                return at;
            }
            segment => {
                segments.push(segment.to_owned());
                at += 1;
            }
        }
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn names_outside_use(tokens: &[String]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut is_in_use = false;
    for token in tokens {
        match token.as_str() {
            "use" => is_in_use = true,
            ";" => is_in_use = false,
            name if !is_in_use && is_name(name) => {
                names.insert(name.to_owned());
            }
            _ => {}
        }
    }
    names
}

/// Returns a shortest cycle for each knot of modules, as text.
fn cycles(imports: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<String> {
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    for start in imports.keys() {
        if known.contains(start) {
            continue;
        }
        if let Some(cycle) = cycle_of(start, imports) {
            let names: Vec<String> = cycle.iter().map(|module| module.join("::")).collect();
            known.extend(cycle);
            found.push(names.join(" → "));
        }
    }
    found
}

/// Returns the shortest way from a module back to itself.
fn cycle_of(start: &Module, imports: &BTreeMap<Module, BTreeSet<Module>>) -> Option<Vec<Module>> {
    let mut came_from: BTreeMap<&Module, &Module> = BTreeMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(module) = waiting.pop_front() {
        for next in imports.get(module).into_iter().flatten() {
            if next == start {
                let mut way = vec![start.clone()];
                let mut at = module;
                while at != start {
                    way.push(at.clone());
                    at = came_from[at];
                }
                way.push(start.clone());
                way.reverse();
                return Some(way);
            }
            if !came_from.contains_key(next) {
                came_from.insert(next, module);
                waiting.push_back(next);
            }
        }
    }
    None
}
