//! The attachments of a message that is being typed.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use super::Typist;
use crate::compose::AttachRequest;
use crate::config::words;
use crate::exit::{Failure, Kind};
use crate::sanitize;

impl Typist<'_> {
    /// `~@`: attaches files, or lists the attachments.
    pub(super) fn attach(&mut self, names: &[u8]) -> Result<(), Failure> {
        if names.is_empty() {
            self.list_attachments();
            return Ok(());
        }
        for word in words_of(names)? {
            self.add_attachment(&word, None, None)?;
        }
        Ok(())
    }

    /// `~+ FILE [TYPE [ENCODING]]`, of GNU mail: attaches one file.
    pub(super) fn attach_one(&mut self, rest: &[u8]) -> Result<(), Failure> {
        let mut words = words_of(rest)?;
        let Some(file) = words.next() else {
            return Err(Failure::new(Kind::Usage, "no file was given"));
        };
        let (content_type, encoding) = (words.next(), words.next());
        if words.next().is_some() {
            let what = "more than a file, its type and its encoding was given";
            return Err(Failure::new(Kind::Usage, what));
        }
        self.add_attachment(&file, content_type, encoding)
    }

    /// `~l`: lists the attachments with their numbers.
    pub(super) fn list_attachments(&mut self) {
        let request = &*self.session.request;
        let wanted = request.attachments.iter();
        let wanted = wanted.map(|wanted| sanitize::line(wanted.path.as_bytes()));
        let carried = request.carried.iter();
        let carried = carried.map(|part| sanitize::line(part.name.as_bytes()));
        let list: String = wanted
            .chain(carried)
            .enumerate()
            .map(|(at, name)| format!("{:>3} {name}\n", at + 1))
            .collect();
        self.show(list.as_bytes());
    }

    /// `~^ NUMBER`: removes an attachment.
    pub(super) fn detach(&mut self, number: &[u8]) -> Result<(), Failure> {
        let shown = sanitize::line(number);
        let request = &mut *self.session.request;
        let files = request.attachments.len();
        let Ok(number) = shown.parse::<usize>() else {
            let what = format!("~^ takes the number of an attachment, not \"{shown}\"");
            let hint = "~l lists the attachments; the protocol of ~^ in s-nail does not exist here";
            return Err(Failure::new(Kind::Usage, what).hint(hint));
        };
        // Those of a forwarded message come behind the user's own.
        match number.checked_sub(1) {
            Some(at) if at < files => drop(request.attachments.remove(at)),
            Some(at) if at - files < request.carried.len() => {
                drop(request.carried.remove(at - files));
            }
            _ => {
                let what = format!("there is no attachment \"{shown}\"");
                return Err(Failure::new(Kind::Usage, what).hint("~l lists the attachments"));
            }
        }
        Ok(())
    }

    fn add_attachment(
        &mut self,
        name: &str,
        content_type: Option<String>,
        encoding: Option<String>,
    ) -> Result<(), Failure> {
        let path = self.typed(name.as_bytes(), "attach")?;
        // What is attached is read when the message is complete; a mistyped name is
        // reported now, while it can be corrected.
        path.metadata().map_err(|error| {
            let what = format!("cannot attach {}", sanitize::line(name.as_bytes()));
            Failure::new(Kind::NoInput, what).because(error)
        })?;
        self.session.request.attachments.push(AttachRequest {
            path: path.into_os_string(),
            content_type: content_type.map(OsString::from),
            encoding: encoding.map(OsString::from),
            ..AttachRequest::default()
        });
        Ok(())
    }
}

fn words_of(names: &[u8]) -> Result<impl Iterator<Item = String>, Failure> {
    let names = str::from_utf8(names)
        .map_err(|_| Failure::new(Kind::Data, "these file names are not UTF-8"))?;
    words::texts(names).map_err(|what| Failure::new(Kind::Usage, what))
}
