//! Writing a premade message.

use std::io::{self, Read, Write};

use super::{Changes, PremadeHeader};
use crate::message::{MessageSource, Wire};

pub(super) fn message(
    header: &PremadeHeader,
    source: &dyn MessageSource,
    _wire: Wire,
    out: &mut dyn Write,
) -> io::Result<Changes> {
    for field in header.iter() {
        out.write_all(field.raw())?;
    }
    out.write_all(b"\n")?;
    let mut reader = source.reader()?;
    io::copy(
        &mut reader.by_ref().take(header.body_offset()),
        &mut io::sink(),
    )?;
    io::copy(&mut reader, out)?;
    Ok(Changes::default())
}
