//! The targets of links: what is shown of them, and the host they lead to.

use std::borrow::Cow;

/// Returns an `href` without blanks around it and without line ends in it, as browsers read it (URL
/// standard, "basic URL parser").
pub(super) fn cleaned(href: &str) -> String {
    let trimmed = href.trim_matches(|c: char| c <= ' ');
    if memchr::memchr3(b'\t', b'\n', b'\r', trimmed.as_bytes()).is_none() {
        return trimmed.to_owned();
    }
    trimmed.replace(['\t', '\n', '\r'], "")
}

/// Returns the scheme of a target and what is behind its colon.
pub(super) fn scheme(target: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = target.split_once(':')?;
    let is_one = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    is_one.then_some((scheme, rest))
}

fn has_scheme(target: &str, names: &[&str]) -> bool {
    scheme(target).is_some_and(|(found, _)| names.iter().any(|n| found.eq_ignore_ascii_case(n)))
}

/// Resolves a target against the base of its document (RFC 3986 section 5.2); without a base it stays.
pub(super) fn resolved(target: String, base: Option<&str>) -> String {
    let Some((name, rest)) = base.and_then(scheme) else {
        return target;
    };
    if scheme(&target).is_some() {
        return target;
    }
    if target.starts_with("//") {
        return format!("{name}:{target}");
    }
    let Some(rest) = rest.strip_prefix("//") else {
        return target;
    };
    let path_start = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(path_start);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if target.starts_with('?') {
        return format!("{name}://{host}{path}{target}");
    }
    let end = target.find(['?', '#']).unwrap_or(target.len());
    let (own, behind) = target.split_at(end);
    let directory = &path[..path.rfind('/').map_or(0, |at| at)];
    let joined = if own.starts_with('/') {
        own.to_owned()
    } else {
        format!("{directory}/{own}")
    };
    format!("{name}://{host}{}{behind}", without_dots(&joined))
}

/// Returns a path without its `.` and `..` (RFC 3986 section 5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/').skip(1) {
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let ends_in_directory = path.ends_with("/.") || path.ends_with("/..");
    format!(
        "/{}{}",
        kept.join("/"),
        if ends_in_directory && !kept.is_empty() {
            "/"
        } else {
            ""
        }
    )
}

/// Returns a target as it is listed: of a script or of data only what it is.
pub(super) fn shown(target: &str) -> Cow<'_, str> {
    let Some((name, rest)) = scheme(target) else {
        return Cow::Borrowed(target);
    };
    if has_scheme(target, &["javascript", "vbscript", "livescript"]) {
        Cow::Owned(format!("{}: (a script)", name.to_ascii_lowercase()))
    } else if name.eq_ignore_ascii_case("data") {
        let kind = rest.split([',', ';']).next().unwrap_or_default();
        let kind: String = kind.chars().take(40).collect();
        let kind = if kind.is_empty() { "text" } else { &kind };
        Cow::Owned(format!("data: ({kind}, {} bytes)", target.len()))
    } else {
        Cow::Borrowed(target)
    }
}

/// Whether a text is the target: it may lack the scheme and the slash at the end.
pub(super) fn is_said_by(target: &str, text: &str) -> bool {
    let text = text.trim();
    if text.is_empty() {
        return false;
    }
    if text == target {
        return true;
    }
    let mut target = target;
    if scheme(text).is_none_or(|(_, rest)| !rest.starts_with("//"))
        && let Some((name, rest)) = scheme(target)
    {
        if ["http", "https", "ftp"]
            .iter()
            .any(|n| name.eq_ignore_ascii_case(n))
        {
            target = rest.strip_prefix("//").unwrap_or(target);
        } else if name.eq_ignore_ascii_case("mailto") && !text.contains(':') {
            target = rest;
        } else if name.eq_ignore_ascii_case("tel") {
            let digits = |text: &str| -> Vec<char> {
                text.chars()
                    .filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '/' | '.' | '\u{a0}'))
                    .collect()
            };
            return digits(text) == digits(rest);
        }
    }
    let (target, text) = (
        target.strip_suffix('/').unwrap_or(target),
        text.strip_suffix('/').unwrap_or(text),
    );
    if target.len() != text.len() && target.is_ascii() && text.is_ascii() {
        return false;
    }
    // Case counts behind the host only.
    let host_end = |url: &str| {
        let start = url.find("://").map_or(0, |at| at + 3);
        start
            + url[start..]
                .find(['/', '?', '#'])
                .unwrap_or(url.len() - start)
    };
    let (a, b) = (
        target.split_at(host_end(target)),
        text.split_at(host_end(text)),
    );
    a.0.to_lowercase() == b.0.to_lowercase() && a.1 == b.1
}

/// Returns the host that a target leads to, if its text names another one: what a forged link does.
pub(super) fn other_host(target: &str, text: &str) -> Option<String> {
    // No other word names a host, and most links have only words.
    memchr::memchr2(b'.', b':', text.as_bytes())?;
    let real = host(target)?;
    let is_other = |word: &str| named_host(word).is_some_and(|named| !is_same_site(&named, &real));
    text.split([' ', '\u{a0}', ','])
        .any(is_other)
        .then_some(real)
}

/// Returns the host of a target, in lower case and in ASCII.
fn host(target: &str) -> Option<String> {
    let (name, rest) = scheme(target).unwrap_or(("", target));
    if name.eq_ignore_ascii_case("mailto") {
        let address = rest.split('?').next().unwrap_or_default();
        let address = address.replace("%40", "@");
        return address.rsplit_once('@').map(|(_, domain)| in_ascii(domain));
    }
    let rest = rest.trim_start_matches('\\');
    let authority = rest.strip_prefix("//").or_else(|| {
        // Browsers take any number of slashes, and backslashes for them.
        has_scheme(target, &["http", "https", "ftp"]).then(|| rest.trim_start_matches(['/', '\\']))
    })?;
    let authority = authority.split(['/', '\\', '?', '#']).next()?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => host,
    };
    (!host.is_empty()).then(|| in_ascii(host))
}

fn in_ascii(host: &str) -> String {
    let host = host.trim_end_matches('.');
    idna::domain_to_ascii(host).unwrap_or_else(|_| host.to_lowercase())
}

/// Returns the host that a word of a text seems to name.
fn named_host(word: &str) -> Option<String> {
    let is_mark = |c: char| !c.is_alphanumeric() && c != '/';
    let word = word.trim_matches(is_mark);
    if let Some((_, rest)) = word.split_once("://") {
        return host(&format!("http://{rest}"));
    }
    if let Some((_, domain)) = word.rsplit_once('@') {
        return is_host(domain).then(|| in_ascii(domain));
    }
    let name = word.split(['/', ':', '?', '#']).next()?;
    (is_host(name) && !is_file_name(name)).then(|| in_ascii(name))
}

/// Whether a word has the form of a host's name under a top-level domain.
fn is_host(word: &str) -> bool {
    let mut labels = word.split('.');
    let last = labels.next_back().unwrap_or_default();
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
    };
    let is_domain = (2..=24).contains(&last.chars().count())
        && (last.chars().all(char::is_alphabetic) || last.starts_with("xn--"));
    // `end.Next` is a missing blank, `Example.COM` a host.
    let is_word = last.starts_with(char::is_uppercase) && !last.chars().all(char::is_uppercase);
    word.contains('.') && is_domain && !is_word && labels.all(is_label)
}

/// Whether a word ends as names of files do.
fn is_file_name(word: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "html", "htm", "txt", "pdf", "png", "jpg", "jpeg", "gif", "svg", "doc", "docx", "xls",
        "xlsx", "ppt", "pptx", "odt", "ods", "xml", "json", "yaml", "yml", "toml", "js", "css",
        "php", "asp", "aspx", "jsp", "exe", "tar", "gz", "bz", "xz", "zip", "rar", "iso", "log",
        "csv", "sql", "py", "rs", "pl", "sh", "md", "cc", "cpp", "hpp", "java", "conf", "cfg",
        "ini", "eml", "ics", "patch", "diff", "mp", "wav", "avi", "deb", "rpm", "dll", "bat",
    ];
    let ending = word.rsplit('.').next().unwrap_or_default();
    // `.net` stands for itself and for a product: `ASP.NET`.
    if ending.eq_ignore_ascii_case("net") {
        return word.eq_ignore_ascii_case("asp.net") || word.eq_ignore_ascii_case("vb.net");
    }
    ENDINGS
        .iter()
        .any(|known| ending.eq_ignore_ascii_case(known))
}

/// Whether one host is the other, or lies in its domain.
fn is_same_site(a: &str, b: &str) -> bool {
    let bare = |host: &str| host.strip_prefix("www.").unwrap_or(host).to_owned();
    let (a, b) = (bare(a), bare(b));
    let lies_in = |inner: &str, outer: &str| {
        outer.contains('.')
            && inner
                .strip_suffix(outer)
                .is_some_and(|rest| rest.ends_with('.'))
    };
    a == b || lies_in(&a, &b) || lies_in(&b, &a)
}
