//! `postrider ses-password`: its argument, and what it does.

use std::io::{self, IsTerminal, Read};

use clap::Args;
use zeroize::Zeroizing;

use crate::diagnostics::Diagnostics;
use crate::exit::{Failure, Kind};
use crate::flow;
use crate::submission::ses;
use crate::sys::stdin::Interruptible;

/// How much of standard input is read: more than any key has.
const MOST: u64 = 4096;

/// The argument of `ses-password`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SesPasswordArguments {
    /// The region that the password is for, for example eu-central-1
    #[arg(value_name = "REGION")]
    pub region: String,
}

/// Runs the subcommand.
pub(super) fn run(arguments: &SesPasswordArguments, diagnostics: &mut Diagnostics) {
    match password(&arguments.region, diagnostics) {
        Ok(password) => diagnostics.print(&Zeroizing::new(format!("{}\n", password.as_str()))),
        Err(failure) => diagnostics.fail(&failure),
    }
}

fn password(region: &str, diagnostics: &mut Diagnostics) -> Result<Zeroizing<String>, Failure> {
    if !ses::is_region(region) {
        let shown = crate::sanitize::line(region.as_bytes());
        let what = format!("{shown} is not a region of AWS");
        return Err(Failure::new(Kind::Usage, what).hint("a region is written as in eu-central-1"));
    }
    if io::stdin().is_terminal() {
        // What is typed at a terminal is seen by all who look at it.
        let what = "the secret key is not read from a terminal, which would show it";
        return Err(
            Failure::new(Kind::Usage, what).hint(format!("postrider ses-password {region} < FILE"))
        );
    }
    let signals = flow::watch_signals(false)?;
    let mut bytes = Zeroizing::new(Vec::new());
    let read = Interruptible::new(&signals)
        .take(MOST)
        .read_to_end(&mut bytes);
    diagnostics.note_signal(&signals);
    read.map_err(|error| {
        Failure::new(Kind::Io, "cannot read the secret key from standard input").because(error)
    })?;
    let key = ses::secret_key(&bytes).map_err(|why| {
        Failure::new(Kind::Data, why)
            .hint("the secret key is what AWS shows once, when an access key is made")
    })?;
    Ok(ses::smtp_password(&key, region))
}
