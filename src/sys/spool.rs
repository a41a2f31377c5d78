//! Spooled bytes: something written once and read from its start as often as needed.
//!
//! Small things stay in memory; more than [`Spool::IN_MEMORY`] goes to an unlinked
//! temporary file (0600). Where that disk is full or not writable the bytes move on to an
//! anonymous file in memory: a full `/tmp` must not stop an alarm. Writers hand over a line at a
//! time; a file gets whole blocks, and what is less waits in memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

use super::platform;

/// Bytes that were written once and can be read many times.
#[derive(Debug)]
pub struct Spool {
    store: Store,
    /// The last bytes, which are not in the file yet: at most a [`Spool::BLOCK`].
    held: Vec<u8>,
    /// How many bytes there are, the held ones included.
    len: u64,
}

#[derive(Debug)]
enum Store {
    Memory(Vec<u8>),
    Disk(File),
    MemoryFile(File),
}

impl Default for Spool {
    fn default() -> Spool {
        Spool::new()
    }
}

impl Spool {
    /// How many bytes stay in memory before a file is made.
    pub const IN_MEMORY: usize = 256 * 1024;

    /// How many bytes a file gets at once.
    const BLOCK: usize = 64 * 1024;

    /// Returns an empty spool.
    pub fn new() -> Spool {
        Spool {
            store: Store::Memory(Vec::new()),
            held: Vec::new(),
            len: 0,
        }
    }

    /// Reads everything from a reader.
    ///
    /// # Errors
    /// Fails when reading fails or no place is left to write to.
    pub fn read_from(source: &mut dyn Read) -> io::Result<Spool> {
        let mut spool = Spool::new();
        let mut block = vec![0; Spool::BLOCK];
        loop {
            match source.read(&mut block) {
                Ok(0) => return Ok(spool),
                Ok(count) => spool.write_all(&block[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns the number of bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Returns whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Cuts off all bytes after this length.
    pub fn truncate(&mut self, len: u64) {
        let stored = self.stored();
        self.len = self.len.min(len);
        self.held.truncate(self.len.saturating_sub(stored) as usize);
        if let Store::Memory(bytes) = &mut self.store {
            bytes.truncate(self.len as usize);
        }
    }

    /// Returns a copy of the bytes from this offset on.
    ///
    /// # Errors
    /// Fails when reading fails or no place is left to write to.
    pub fn tail(&self, offset: u64) -> io::Result<Spool> {
        Spool::read_from(&mut self.reader_from(offset))
    }

    /// Returns a reader that starts at the first byte; several may be in use at once.
    pub fn reader(&self) -> SpoolReader<'_> {
        SpoolReader {
            spool: self,
            offset: 0,
        }
    }

    /// Returns a reader that starts at this offset.
    pub fn reader_from(&self, offset: u64) -> SpoolReader<'_> {
        SpoolReader {
            spool: self,
            offset: offset.min(self.len),
        }
    }

    /// Returns a file with these bytes, positioned at the start, to be a child's standard input.
    ///
    /// The file's offset is shared with the child, so that it shows how much was read.
    ///
    /// # Errors
    /// Fails when no file can be made.
    pub fn to_file(&self) -> io::Result<File> {
        let mut file = match &self.store {
            Store::Memory(bytes) => {
                // Memory first: /tmp may be full, and the text is small.
                let mut file = platform::memory_file().or_else(|_| tempfile::tempfile())?;
                file.write_all(bytes)?;
                file
            }
            Store::Disk(file) | Store::MemoryFile(file) => {
                // A text that was cut off by `truncate` must not reach the child.
                let written = file
                    .write_all_at(&self.held, self.stored())
                    .and_then(|()| file.set_len(self.len));
                match written {
                    Ok(()) => file.try_clone()?,
                    // The disk has become full since: the bytes can still be read.
                    Err(_) => {
                        let file = platform::memory_file()?;
                        self.copy_to(&file)?;
                        file
                    }
                }
            }
        };
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }

    /// Returns how many bytes the store has.
    fn stored(&self) -> u64 {
        self.len - self.held.len() as u64
    }

    /// Appends the held bytes to a file, which moves into memory where its disk is full.
    fn store_held(&mut self) -> io::Result<()> {
        let place = self.stored();
        // Written at an explicit offset: a failed write may have left a part behind.
        let written = match &self.store {
            Store::Memory(_) => Ok(()),
            Store::Disk(file) | Store::MemoryFile(file) => file.write_all_at(&self.held, place),
        };
        match (written, &self.store) {
            (Err(_), Store::Disk(_)) => {
                self.move_to(platform::memory_file()?, Store::MemoryFile)?
            }
            (written, _) => written?,
        }
        self.held.clear();
        Ok(())
    }

    /// Moves everything into another file, which is used from then on.
    fn move_to(&mut self, file: File, wrap: fn(File) -> Store) -> io::Result<()> {
        self.copy_to(&file)?;
        self.store = wrap(file);
        Ok(())
    }

    /// Copies everything into a file.
    fn copy_to(&self, file: &File) -> io::Result<()> {
        let mut offset = 0;
        let mut block = vec![0; Spool::BLOCK];
        while offset < self.len {
            let count = self.read_at(&mut block, offset)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            file.write_all_at(&block[..count], offset)?;
            offset += count as u64;
        }
        Ok(())
    }

    fn read_at(&self, block: &mut [u8], offset: u64) -> io::Result<usize> {
        let block_len = (self.len - offset.min(self.len)).min(block.len() as u64) as usize;
        let block = &mut block[..block_len];
        let stored = self.stored();
        if let Some(start) = offset.checked_sub(stored) {
            let start = start as usize;
            block.copy_from_slice(&self.held[start..start + block_len]);
            return Ok(block_len);
        }
        let in_store = (stored - offset).min(block_len as u64) as usize;
        let block = &mut block[..in_store];
        match &self.store {
            Store::Memory(bytes) => {
                let start = offset as usize;
                block.copy_from_slice(&bytes[start..start + in_store]);
                Ok(in_store)
            }
            Store::Disk(file) | Store::MemoryFile(file) => file.read_at(block, offset),
        }
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Store::Memory(memory) = &self.store
            && memory.len() + bytes.len() > Spool::IN_MEMORY
        {
            // tempfile unlinks the file at once, so our death leaves no mail in /tmp.
            match tempfile::tempfile().and_then(|file| self.move_to(file, Store::Disk)) {
                Ok(()) => {}
                // No room in /tmp, or no right to it. A disk that fills up later is met below.
                Err(_) => self.move_to(platform::memory_file()?, Store::MemoryFile)?,
            }
        }
        if let Store::Memory(memory) = &mut self.store {
            memory.extend_from_slice(bytes);
            self.len += bytes.len() as u64;
            return Ok(bytes.len());
        }
        if self.held.len() == Spool::BLOCK {
            self.store_held()?;
        }
        let taken = bytes.len().min(Spool::BLOCK - self.held.len());
        self.held.extend_from_slice(&bytes[..taken]);
        self.len += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a [`Spool`] from its start.
#[derive(Debug)]
pub struct SpoolReader<'a> {
    spool: &'a Spool,
    offset: u64,
}

impl Read for SpoolReader<'_> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let count = self.spool.read_at(block, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(spool: &Spool) -> Vec<u8> {
        let mut bytes = Vec::new();
        spool.reader().read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn bytes_come_back_from_memory_and_from_disk() {
        for size in [0, 1, Spool::IN_MEMORY, Spool::IN_MEMORY + 1, 1_000_000] {
            let bytes: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
            let spool = Spool::read_from(&mut bytes.as_slice()).unwrap();
            assert_eq!(spool.len(), size as u64);
            assert!(all(&spool) == bytes, "{size}");
            let mut copy = Vec::new();
            spool.to_file().unwrap().read_to_end(&mut copy).unwrap();
            assert!(copy == bytes, "{size}");
        }
    }

    #[test]
    fn a_full_disk_moves_the_bytes_into_memory() {
        for size in [5, Spool::BLOCK, Spool::BLOCK + 1, 1_000_000] {
            // /dev/full fails every write with ENOSPC, as a full disk does.
            let full = File::options().write(true).open("/dev/full").unwrap();
            let mut spool = Spool {
                store: Store::Disk(full),
                ..Spool::new()
            };
            let bytes: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
            spool.write_all(&bytes).unwrap();
            assert!(all(&spool) == bytes, "{size}");
            let mut copy = Vec::new();
            spool.to_file().unwrap().read_to_end(&mut copy).unwrap();
            assert!(copy == bytes, "{size}");
        }
    }

    #[test]
    fn small_writes_are_one_text() {
        let mut expected = Vec::new();
        let mut spool = Spool::new();
        for number in 0..200_000 {
            let line = format!("{number}\n");
            spool.write_all(line.as_bytes()).unwrap();
            expected.extend_from_slice(line.as_bytes());
        }
        assert!(all(&spool) == expected);
        // Cut off within the held bytes, and then within those of the file.
        for less in [10, Spool::BLOCK] {
            expected.truncate(expected.len() - less);
            spool.truncate(expected.len() as u64);
            spool.write_all(b"end").unwrap();
            expected.extend_from_slice(b"end");
            assert!(all(&spool) == expected, "{less}");
            let mut copy = Vec::new();
            spool.to_file().unwrap().read_to_end(&mut copy).unwrap();
            assert!(copy == expected, "{less}");
            let from = expected.len() as u64 - 5;
            assert!(all(&spool.tail(from).unwrap()) == expected[from as usize..]);
        }
    }
}
