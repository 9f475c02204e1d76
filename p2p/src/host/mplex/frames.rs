// p2p/src/host/mplex/frames.rs - the bytes of mplex: a header of stream and kind, a length, and so many bytes.

use std::io;

/// The specification's bound of what follows a header.
const MAX_FRAME: u64 = 1024 * 1024;

/// A stream: its number, and who opened it. Both sides count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Id {
    pub(super) number: u64,
    pub(super) ours: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Data,
    Close,
    Reset,
}

/// What precedes the bytes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) id: Id,
    pub(super) kind: Kind,
    pub(super) length: usize,
}

fn bad(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("mplex: {text}"))
}

/// As it comes from the peer: its own streams are not ours.
fn read_head(header: u64, length: u64) -> io::Result<Head> {
    if length > MAX_FRAME {
        return Err(bad("a frame is longer than 1 MiB"));
    }
    let kind = match header & 7 {
        0 => Kind::Open,
        1 | 2 => Kind::Data,
        3 | 4 => Kind::Close,
        5 | 6 => Kind::Reset,
        _ => return Err(bad("a frame is of an unknown kind")),
    };
    // Who has opened a stream marks what it sends with an even number.
    let id = Id { number: header >> 3, ours: header & 1 == 1 };
    Ok(Head { id, kind, length: length as usize })
}

/// Reads heads byte by byte.
#[derive(Default)]
pub(super) struct HeadReader {
    header: Option<u64>,
    value: u64,
    shift: u32,
}

impl HeadReader {
    /// A whole head when `byte` was its last one.
    pub(super) fn put(&mut self, byte: u8) -> io::Result<Option<Head>> {
        let bits = u64::from(byte & 0x7f);
        if self.shift > 63 || (self.shift == 63 && bits > 1) {
            return Err(bad("a number is longer than 64 bits"));
        }
        self.value |= bits << self.shift;
        self.shift += 7;
        if byte & 0x80 != 0 {
            return Ok(None);
        }
        let value = std::mem::take(&mut self.value);
        self.shift = 0;
        match self.header.take() {
            None => {
                self.header = Some(value);
                Ok(None)
            }
            Some(header) => read_head(header, value).map(Some),
        }
    }
}

fn put_number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a frame of ours.
pub(super) fn put_frame(id: Id, kind: Kind, data: &[u8], out: &mut Vec<u8>) {
    let kind = match (kind, id.ours) {
        (Kind::Open, _) => 0,
        (Kind::Data, false) => 1,
        (Kind::Data, true) => 2,
        (Kind::Close, false) => 3,
        (Kind::Close, true) => 4,
        (Kind::Reset, false) => 5,
        (Kind::Reset, true) => 6,
    };
    put_number(id.number << 3 | kind, out);
    put_number(data.len() as u64, out);
    out.extend_from_slice(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> io::Result<Vec<Head>> {
        let mut reader = HeadReader::default();
        let mut heads = Vec::new();
        for byte in bytes {
            heads.extend(reader.put(*byte)?);
        }
        Ok(heads)
    }

    #[test]
    fn every_kind_of_every_stream_is_read_as_the_other_side_means_it() {
        for number in [0, 1, 15, 16, 1 << 40, u64::MAX >> 3] {
            for ours in [false, true] {
                for kind in [Kind::Open, Kind::Data, Kind::Close, Kind::Reset] {
                    let mut bytes = Vec::new();
                    put_frame(Id { number, ours }, kind, b"", &mut bytes);
                    // Only who opens a stream sends Open.
                    let seen = Id { number, ours: !ours && kind != Kind::Open };
                    assert_eq!(read(&bytes).unwrap(), [Head { id: seen, kind, length: 0 }]);
                }
            }
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_specification() {
        let mut bytes = Vec::new();
        put_frame(Id { number: 17, ours: true }, Kind::Data, b"hi", &mut bytes);
        put_frame(Id { number: 3, ours: false }, Kind::Reset, b"", &mut bytes);
        assert_eq!(bytes, [0x8a, 0x01, 2, b'h', b'i', 0x1d, 0]);
    }

    #[test]
    fn what_is_no_head_is_refused() {
        assert!(read(&[0x07, 0]).is_err(), "kind 7");
        assert!(read(&[0x02, 0x81, 0x80, 0x40]).is_err(), "a MiB and a byte");
        assert!(read(&[0x02, 0x80, 0x80, 0x40]).is_ok(), "a MiB");
        assert!(read(&[0xff; 11]).is_err(), "a number without end");
        assert!(read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]).is_err(), "65 bits");
    }
}
