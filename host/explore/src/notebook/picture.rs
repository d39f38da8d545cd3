//! Pictures of outputs, shown only when they are what they say.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes of one picture.
const MAX_BYTES: usize = 8 << 20;

/// The kinds that are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Png,
    Jpeg,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Png, Self::Jpeg];

    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }

    /// How every file of the kind begins.
    const fn magic(self) -> &'static [u8] {
        match self {
            Self::Png => b"\x89PNG\r\n\x1a\n",
            Self::Jpeg => b"\xff\xd8\xff",
        }
    }
}

/// The picture as a data URI, encoded anew: nothing of the given text is in it.
pub(super) fn data_uri(kind: Kind, base64: &str) -> Result<String, &'static str> {
    // 4 characters for 3 bytes, and some line breaks.
    if base64.len() > MAX_BYTES / 3 * 4 + MAX_BYTES / 16 {
        return Err("larger than 8 MiB");
    }
    let text: String = base64.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(text).map_err(|_| "no base64")?;
    if bytes.len() > MAX_BYTES {
        return Err("larger than 8 MiB");
    }
    if !bytes.starts_with(kind.magic()) {
        return Err("not a file of that kind");
    }
    Ok(format!("data:{};base64,{}", kind.media_type(), STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_of_the_kind_is_shown() {
        let png = STANDARD.encode(b"\x89PNG\r\n\x1a\nrest");
        assert!(data_uri(Kind::Png, &png).is_ok_and(|uri| uri.starts_with("data:image/png;base64,iVBOR")));
        assert_eq!(data_uri(Kind::Jpeg, &png), Err("not a file of that kind"));
        assert_eq!(data_uri(Kind::Png, &STANDARD.encode("<svg onload=alert(1)>")), Err("not a file of that kind"));
        assert_eq!(data_uri(Kind::Png, "\"><script>"), Err("no base64"));
    }

    #[test]
    fn a_picture_has_a_largest_size() {
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        bytes.resize(MAX_BYTES, 0);
        assert!(data_uri(Kind::Png, &STANDARD.encode(&bytes)).is_ok());
        bytes.push(0);
        assert_eq!(data_uri(Kind::Png, &STANDARD.encode(&bytes)), Err("larger than 8 MiB"));
        assert_eq!(data_uri(Kind::Png, &"A".repeat(20 << 20)), Err("larger than 8 MiB"));
    }
}
