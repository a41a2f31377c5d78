//! What belongs to an installation: each file and link, and where it is.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::documents::{COMPLETIONS, PAGES};

/// The units, as they are in a package; they start `/usr/bin/postrider`.
const OUTBOX_UNITS: [(&str, &str); 2] = [
    (
        "postrider-outbox.service",
        include_str!("../../contrib/systemd/postrider-outbox.service"),
    ),
    (
        "postrider-outbox.timer",
        include_str!("../../contrib/systemd/postrider-outbox.timer"),
    ),
];
const PATH_UNIT: (&str, &str) = (
    "postrider-outbox.path",
    include_str!("../../contrib/systemd/postrider-outbox.path"),
);
/// Nothing starts it until a unit says so.
const REPORT_UNIT: (&str, &str) = (
    "postrider-report@.service",
    include_str!("../../contrib/systemd/postrider-report@.service"),
);
const USER_UNITS: [(&str, &str); 2] = [
    (
        "postrider-outbox.service",
        include_str!("../../contrib/systemd/user/postrider-outbox.service"),
    ),
    (
        "postrider-outbox.timer",
        include_str!("../../contrib/systemd/user/postrider-outbox.timer"),
    ),
];
const TMPFILES: &str = include_str!("../../contrib/tmpfiles/postrider.conf");
const CONFIGURATION: &str = include_str!("../../contrib/postrider.rc");

/// The path that the units of packages start.
const PACKAGED: &str = "/usr/bin/postrider";

/// The names of an MTA's sendmail that other programs call.
pub(crate) const SENDMAIL: [&str; 2] = ["/usr/sbin/sendmail", "/usr/lib/sendmail"];

/// Where an installation is made, and for whom.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The directory that has `bin`, `share` and the like.
    pub prefix: PathBuf,
    /// The directory in which all of it is put as if it were `/` (`DESTDIR`).
    pub root: Option<PathBuf>,
    /// It is for one user: units of the user, and nothing in `/etc`.
    pub for_user: bool,
    /// The names of an MTA's programs are installed too.
    pub mta: bool,
    /// The program that is installed.
    pub program: PathBuf,
    /// The program is started where it is, and links lead there; otherwise it is copied.
    pub stays: bool,
}

impl Place {
    /// Returns where a file of the installation is now.
    pub(crate) fn now(&self, path: &Path) -> PathBuf {
        match (&self.root, path.strip_prefix("/")) {
            (Some(root), Ok(below)) => root.join(below),
            _ => path.to_owned(),
        }
    }

    /// Returns the path by which the installed program is started.
    pub(crate) fn started(&self) -> PathBuf {
        if self.stays {
            self.program.clone()
        } else {
            self.prefix.join("bin/postrider")
        }
    }
}

/// A file or link of an installation.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Where it is, without the root.
    pub path: PathBuf,
    /// What it is.
    pub content: Content,
}

/// What a file or link has in it.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// A text that everybody may read.
    Text(Cow<'static, str>),
    /// A configuration, which people change: another one that is there already is no obstacle.
    Configuration(&'static str),
    /// The program.
    Program,
    /// A symbolic link.
    Link(PathBuf),
}

/// Returns what belongs to an installation, in the order in which it is told.
pub(crate) fn items(place: &Place) -> Vec<Item> {
    let mut items = Vec::new();
    let share = place.prefix.join("share");
    programs(&mut items, place);
    pages(&mut items, &share.join("man"), place.mta);
    completions(&mut items, &share);
    units(&mut items, place);
    if !place.for_user {
        let path = place.prefix.join("lib/tmpfiles.d/postrider.conf");
        items.push(text(path, TMPFILES));
        items.push(Item {
            path: PathBuf::from("/etc/postrider.rc"),
            content: Content::Configuration(CONFIGURATION),
        });
    }
    if place.mta {
        let links = SENDMAIL.map(|path| link(PathBuf::from(path), place.started()));
        items.extend(links);
    }
    items
}

fn programs(items: &mut Vec<Item>, place: &Place) {
    let bin = place.prefix.join("bin");
    let program = place.started();
    if !place.stays {
        items.push(Item {
            path: program.clone(),
            content: Content::Program,
        });
    }
    // A link within one directory may be moved with it.
    let target = match program.strip_prefix(&bin) {
        Ok(name) => name.to_owned(),
        Err(_) => program,
    };
    let of_mta: &[&str] = if place.mta {
        &["mailq", "newaliases"]
    } else {
        &[]
    };
    for name in ["mailx", "mail", "Mail"].iter().chain(of_mta) {
        items.push(link(bin.join(name), target.clone()));
    }
}

fn pages(items: &mut Vec<Item>, man: &Path, mta: bool) {
    for page in &PAGES {
        let directory = man.join(format!("man{}", page.section));
        let file = format!("{}.{}", page.name, page.section);
        items.push(text(directory.join(&file), page.text));
        // Without the commands of an MTA their pages would hide those of the MTA.
        let commands = page.commands.iter().filter(|_| mta || page.name == "mailx");
        for command in commands {
            items.push(if *command == "sendmail" {
                let target = format!("../man{}/{file}", page.section);
                link(man.join("man8/sendmail.8"), PathBuf::from(target))
            } else {
                let name = format!("{command}.{}", page.section);
                link(directory.join(name), PathBuf::from(&file))
            });
        }
    }
}

fn completions(items: &mut Vec<Item>, share: &Path) {
    let bash = share.join("bash-completion/completions");
    let zsh = share.join("zsh/site-functions");
    let fish = share.join("fish/vendor_completions.d");
    for one in &COMPLETIONS {
        let name = one.name;
        items.push(text(bash.join(name), one.bash));
        items.push(text(zsh.join(format!("_{name}")), one.zsh));
        items.push(text(fish.join(format!("{name}.fish")), one.fish));
        // bash and fish find a file by the name of the command.
        for command in one.commands {
            items.push(link(bash.join(command), PathBuf::from(name)));
            let target = PathBuf::from(format!("{name}.fish"));
            items.push(link(fish.join(format!("{command}.fish")), target));
        }
    }
}

fn units(items: &mut Vec<Item>, place: &Place) {
    let prefix = &place.prefix;
    let program = started_by_systemd(&place.started());
    let mut add = |directory: PathBuf, units: &[(&str, &'static str)]| {
        for (name, unit) in units {
            let unit = unit.replace(PACKAGED, &program);
            items.push(Item {
                path: directory.join(name),
                content: Content::Text(Cow::Owned(unit)),
            });
        }
    };
    if place.for_user {
        // systemd looks below XDG_DATA_HOME, whose default is ~/.local/share.
        return add(prefix.join("share/systemd/user"), &USER_UNITS);
    }
    add(prefix.join("lib/systemd/system"), &OUTBOX_UNITS);
    add(prefix.join("lib/systemd/system"), &[PATH_UNIT]);
    // There the path is a word of a shell's command line, which would need quotes of its own.
    if !program.starts_with('"') && !program.contains('%') {
        add(prefix.join("lib/systemd/system"), &[REPORT_UNIT]);
    }
    add(prefix.join("lib/systemd/user"), &USER_UNITS);
}

/// Returns a program's path as a unit names it (systemd.service(5), "COMMAND LINES").
fn started_by_systemd(program: &Path) -> String {
    let path = program.to_string_lossy().replace('%', "%%");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._+-@%".contains(c);
    if path.chars().all(is_plain) {
        return path;
    }
    let path = path.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{path}\"")
}

fn text(path: PathBuf, text: &'static str) -> Item {
    Item {
        path,
        content: Content::Text(Cow::Borrowed(text)),
    }
}

fn link(path: PathBuf, target: PathBuf) -> Item {
    Item {
        path,
        content: Content::Link(target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_start_the_program_where_it_is() {
        for (path, expected) in [
            ("/usr/local/bin/postrider", "/usr/local/bin/postrider"),
            ("/home/a b/bin/postrider", "\"/home/a b/bin/postrider\""),
            ("/home/100%/postrider", "/home/100%%/postrider"),
            ("/home/\"q\"/postrider", "\"/home/\\\"q\\\"/postrider\""),
        ] {
            assert_eq!(started_by_systemd(Path::new(path)), expected);
        }
        assert!(REPORT_UNIT.1.contains(PACKAGED));
        for (_, unit) in OUTBOX_UNITS.iter().chain(&USER_UNITS) {
            let starts = unit.lines().filter(|line| line.starts_with("ExecStart="));
            assert!(starts.clone().all(|line| line.contains(PACKAGED)), "{unit}");
        }
    }
}
