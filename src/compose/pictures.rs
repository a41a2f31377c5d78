//! Pictures in HTML: which files are attached to an HTML text, and the names by which it shows
//! them.
//!
//! Of an HTML file, `src="logo.png"` takes along a picture below the directory of that file. The HTML
//! may be made of foreign data, so its names are judged before anything is opened, and only what is a
//! picture by its name and by its first bytes leaves. `cid:NAME` is for every HTML text: it shows a
//! file that is attached by the same command.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::compose::attachment::source_of_opened;
use crate::compose::spooling::unspooled;
use crate::compose::{Attached, Composer, Request};
use crate::exit::{Failure, Kind};
use crate::message::{
    self, ContentId, FileName, MediaType, MessageSource, PICTURE_START, PictureReferences,
    PictureTarget,
};
use crate::sanitize;
use crate::sys::open::below::Below;
use crate::sys::open::{Unread, Use};
use crate::sys::signals::Signals;
use crate::sys::spool::Spool;
use crate::sys::{clock, random};

/// How large an HTML text may be whose pictures are looked for, in bytes.
const MAX_HTML: u64 = 32 << 20;

/// How many pictures one text may take along.
const MAX_PICTURES: usize = 1000;

/// The hint for a picture that cannot be used.
const HINT: &str = "pictures must be in the directory of the HTML file or below it; \
    to show another file, attach it with --attach and write src=\"cid:NAME\"";

impl Composer<'_> {
    /// Attaches the pictures that the HTML of the message names, and shows attached files where the
    /// HTML says `cid:`.
    pub(super) fn pictures(&mut self, request: &Request, signals: &Signals) {
        if let Err(error) = self.try_pictures(request, signals) {
            self.composed.failures.push(unspooled(error));
        }
    }

    fn try_pictures(&mut self, request: &Request, signals: &Signals) -> io::Result<()> {
        let file = request.html.as_deref().unwrap_or_default();
        let page = self.html_directory.take().map(|directory| Page {
            shown: sanitize::line(file.as_bytes()).into_owned(),
            directory,
        });
        let draft = &self.composed.draft;
        let is_html_text = draft.content_type.as_ref().is_some_and(MediaType::is_html);
        let html = match &draft.html {
            Some(html) if request.html.is_some() => html,
            None if is_html_text => &draft.body,
            _ => return Ok(()),
        };
        if html.len() > MAX_HTML {
            let what = "the HTML is larger than 32 MiB, so its pictures are not attached";
            self.composed.warnings.push(what.to_owned().into());
            return Ok(());
        }
        let mut bytes = Vec::new();
        html.reader().read_to_end(&mut bytes)?;
        let references = PictureReferences::of(&bytes);
        if references.found.is_empty() {
            return Ok(());
        }
        let mut album = Album {
            composer: self,
            page,
            has_base: references.has_base,
            signals,
            known: HashMap::new(),
            parts: HashMap::new(),
            opened: 0,
            has_failed: false,
        };
        let mut urls = Vec::new();
        for reference in references.found {
            if let Some(id) = album.refer(&reference.url, reference.in_style) {
                urls.push((reference.place, format!("cid:{}", id.as_str())));
            }
        }
        if urls.is_empty() {
            return Ok(());
        }
        let changed = message::with_urls(&bytes, &urls);
        let changed = Spool::read_from(&mut changed.as_slice())?;
        let draft = &mut self.composed.draft;
        match &mut draft.html {
            Some(html) => *html = changed,
            None => draft.body = changed,
        }
        Ok(())
    }
}

/// An HTML file whose pictures may go along.
struct Page {
    /// The file, as it was named.
    shown: String,
    directory: Below,
}

/// The pictures of one text.
struct Album<'a, 'b> {
    composer: &'a mut Composer<'b>,
    /// The HTML file, unless the HTML comes from a program.
    page: Option<Page>,
    has_base: bool,
    signals: &'a Signals,
    /// The result for each URL.
    known: HashMap<Vec<u8>, Option<ContentId>>,
    /// The pictures so far by device and inode, so that each file goes along once.
    parts: HashMap<(u64, u64), ContentId>,
    /// How many files were looked for.
    opened: usize,
    /// Whether one of them cannot go along.
    has_failed: bool,
}

impl Album<'_, '_> {
    /// Returns the identifier that a URL is to be replaced by, if it is to be replaced.
    fn refer(&mut self, url: &[u8], in_style: bool) -> Option<ContentId> {
        if let Some(known) = self.known.get(url) {
            return known.clone();
        }
        let id = match PictureTarget::of(url) {
            PictureTarget::Elsewhere => None,
            PictureTarget::Part(name) => self.attached(&name),
            PictureTarget::OneComputer => {
                let shown = sanitize::line(url).into_owned();
                self.warn(format!(
                    "the picture {shown} is not attached: write its path relative to the HTML file"
                ));
                None
            }
            PictureTarget::Path(path) => self.path(&path, in_style),
        };
        self.known.insert(url.to_vec(), id.clone());
        id
    }

    fn warn(&mut self, text: String) {
        self.composer.composed.warnings.push(text.into());
    }

    /// Makes an attached file one that the HTML shows.
    fn attached(&mut self, name: &[u8]) -> Option<ContentId> {
        let shown = sanitize::line(name).into_owned();
        let text = message::decode_text(name);
        let host = self.composer.settings.host_name();
        let attachments = &mut self.composer.composed.draft.attachments;
        let Some(file) = attachments
            .iter_mut()
            .find(|file| !file.is_taken_along && file.name.as_str() == text)
        else {
            // Told and no failure: the HTML may be foreign, as that of a mail that is passed on, and
            // must not stop the message.
            self.warn(format!(
                "the HTML shows cid:{shown}, but no attached file has that name"
            ));
            return None;
        };
        // The name itself where it can be an identifier: then not a byte of the HTML changes.
        if let Some(id) = ContentId::new(&text) {
            file.content_id = Some(id);
            return None;
        }
        let id = file.content_id.get_or_insert_with(|| new_id(&host));
        Some(id.clone())
    }

    /// Attaches the picture of a relative path.
    fn path(&mut self, path: &[u8], in_style: bool) -> Option<ContentId> {
        let page = self.page.as_ref()?;
        // In a style only a name tells pictures from fonts and other styles.
        if in_style && !message::is_picture_name(path) {
            return None;
        }
        if self.has_base {
            self.has_base = false;
            let what = format!(
                "{} has a <base>, so none of its pictures is attached",
                page.shown
            );
            self.page = None;
            self.warn(what);
            return None;
        }
        let shown = sanitize::line(path).into_owned();
        let what = format!("cannot attach the picture {shown} of {}", page.shown);
        self.opened += 1;
        if self.opened > MAX_PICTURES {
            let what = format!("{} shows more than {MAX_PICTURES} pictures", page.shown);
            self.page = None;
            let failure = Failure::new(Kind::Data, what);
            self.composer.composed.failures.push(failure);
            return None;
        }
        match take(page, path, self.signals) {
            Ok((picture, inode)) => Some(self.add(picture, inode)),
            Err(error) => {
                let failure = Failure::new(error.kind(Kind::NoInput), what).because(error);
                // The same hint for each of many pictures would hide what is wrong with them.
                let is_first = !std::mem::replace(&mut self.has_failed, true);
                let failure = if is_first {
                    failure.hint(HINT)
                } else {
                    failure
                };
                self.composer.composed.failures.push(failure);
                None
            }
        }
    }

    /// Adds a picture, unless the same file was added before.
    fn add(&mut self, mut picture: Attached, inode: (u64, u64)) -> ContentId {
        if let Some(id) = self.parts.get(&inode) {
            return id.clone();
        }
        let id = new_id(&self.composer.settings.host_name());
        picture.content_id = Some(id.clone());
        self.composer.composed.draft.attachments.push(picture);
        self.parts.insert(inode, id.clone());
        id
    }
}

/// Opens a picture below the directory of a page; returns it with its device and inode.
fn take(page: &Page, path: &[u8], signals: &Signals) -> Result<(Attached, (u64, u64)), Unread> {
    let refused = |why: &str| Err(Unread::Refused(why.to_owned()));
    // A slash at the start is the root of a web server or of this host: neither is below the page.
    if path.starts_with(b"/") {
        return refused("it is an absolute path");
    }
    if path.split(|&b| b == b'/').any(|name| name == b"..") {
        return refused("its path contains \"..\"");
    }
    if path.contains(&0) {
        return refused("its name contains a NUL");
    }
    if !message::is_picture_name(path) {
        return refused("its name does not end in .png, .jpg, .gif, .webp or .bmp");
    }
    let path = Path::new(OsStr::from_bytes(path));
    let opened = page.directory.open(path, Use::Picture)?;
    let inode = opened
        .metadata()
        .map_or((0, 0), |found| (found.dev(), found.ino()));
    let source = source_of_opened(opened, path, signals)?;
    let mut start = Vec::new();
    source
        .reader()?
        .take(PICTURE_START)
        .read_to_end(&mut start)?;
    let Some(content_type) = message::picture_type(&start) else {
        return refused("it is not a picture in the format PNG, JPEG, GIF, WebP or BMP");
    };
    let picture = Attached {
        name: FileName::from_path(path.as_os_str().as_bytes()),
        content_type: Some(content_type),
        charset: None,
        content_id: None,
        is_taken_along: true,
        source,
    };
    Ok((picture, inode))
}

/// Returns an identifier that no other part in the world has (RFC 2045 section 7).
fn new_id(host: &str) -> ContentId {
    let now = clock::since_epoch().as_secs() as i64;
    let id = message::message_id(now, random::number(), host);
    ContentId::new(id.trim_matches(['<', '>'])).expect("a Message-ID is made of plain characters")
}
