//! Reads CTranslate2's `model.bin`: a list of named tensors, each in one piece.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::Path,
};

use super::{GgmlError, file::read_u32, invalid};

/// The format's version that this was written for.
const VERSION: u32 = 6;
const SPECIFICATION: &str = "WhisperSpec";
const INT16: u8 = 2;
const FLOAT16: u8 = 4;

/// The open file and where its tensors lie.
pub(super) struct Model {
    file: BufReader<File>,
    tensors: HashMap<String, Stored>,
}

#[derive(Debug, Clone)]
struct Stored {
    /// The slowest dimension first.
    dimensions: Vec<u32>,
    kind: u8,
    offset: u64,
    bytes: u64,
}

impl Model {
    pub(super) fn open(path: &Path) -> Result<Self, GgmlError> {
        let open = || {
            let mut file = BufReader::new(File::open(path)?);
            read_preamble(&mut file)?;
            let size = file.get_ref().metadata()?.len();
            let count = read_u32(&mut file)?;
            let tensors = (0..count).map(|_| read_stored(&mut file, size)).collect::<io::Result<_>>()?;
            Ok(Self { file, tensors })
        };
        open().map_err(GgmlError::reading(path))
    }

    /// A tensor's sizes, the slowest dimension first.
    pub(super) fn dimensions(&self, name: &str) -> io::Result<&[u32]> {
        Ok(&self.find(name)?.dimensions)
    }

    /// How many tensors `name` gives for 0, 1, 2 and so on without a gap.
    pub(super) fn count(&self, name: impl Fn(u32) -> String) -> u32 {
        (0..).take_while(|index| self.tensors.contains_key(&name(*index))).count() as u32
    }

    /// A 16-bit number that is stored like a tensor.
    pub(super) fn number(&mut self, name: &str) -> io::Result<u32> {
        let stored = self.find(name)?.clone();
        if stored.kind != INT16 || stored.bytes != 2 {
            return Err(invalid(format!("{name} is no 16-bit number")));
        }
        let mut bytes = [0; 2];
        self.at(stored.offset)?.read_exact(&mut bytes)?;
        Ok(u32::from(u16::from_le_bytes(bytes)))
    }

    /// The rows of a tensor from `first` on, as 16-bit floats, to be read to `bytes`.
    pub(super) fn rows(&mut self, name: &str, first: u32, bytes: u64) -> io::Result<impl Read> {
        let stored = self.find(name)?.clone();
        if stored.kind != FLOAT16 {
            return Err(invalid(format!("{name} is not of 16 bits: give a model converted with float16")));
        }
        let rows = u64::from(stored.dimensions.first().copied().unwrap_or(1)).max(1);
        let start = stored.bytes / rows * u64::from(first);
        if start + bytes > stored.bytes {
            return Err(invalid(format!("{name} is smaller than the model's sizes ask for")));
        }
        Ok(self.at(stored.offset + start)?.take(bytes))
    }

    fn at(&mut self, offset: u64) -> io::Result<&mut BufReader<File>> {
        self.file.seek(SeekFrom::Start(offset))?;
        Ok(&mut self.file)
    }

    fn find(&self, name: &str) -> io::Result<&Stored> {
        self.tensors.get(name).ok_or_else(|| invalid(format!("it has no {name}")))
    }
}

fn read_preamble(file: &mut impl Read) -> io::Result<()> {
    let version = read_u32(file)?;
    if version != VERSION {
        return Err(invalid(format!("it is no CTranslate2 model of format {VERSION}")));
    }
    let specification = read_name(file)?;
    if specification != SPECIFICATION {
        return Err(invalid(format!("it is a {specification}, not a Whisper model")));
    }
    read_u32(file).map(|_revision| ())
}

fn read_stored(file: &mut (impl Read + Seek), size: u64) -> io::Result<(String, Stored)> {
    let name = read_name(file)?;
    let rank = read_u8(file)?;
    let dimensions = (0..rank).map(|_| read_u32(file)).collect::<io::Result<_>>()?;
    let kind = read_u8(file)?;
    let bytes = u64::from(read_u32(file)?);
    let offset = file.stream_position()?;
    if offset + bytes > size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    file.seek(SeekFrom::Start(offset + bytes))?;
    Ok((name, Stored { dimensions, kind, offset, bytes }))
}

/// Names carry their length and a closing zero.
fn read_name(file: &mut impl Read) -> io::Result<String> {
    let mut length = [0; 2];
    file.read_exact(&mut length)?;
    let mut name = vec![0; usize::from(u16::from_le_bytes(length))];
    file.read_exact(&mut name)?;
    name.pop();
    String::from_utf8(name).map_err(|_| invalid("a name in it is not text"))
}

fn read_u8(file: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}
