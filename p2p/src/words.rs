// p2p/src/words.rs - a 32-byte key as 24 English words of BIP-39, and back.

use bip39::{Error, Language, Mnemonic};
use zeroize::{Zeroize, Zeroizing};

/// 24 words of at most 8 letters, and the blanks between them.
pub const MOST_TEXT: usize = 24 * 8 + 23;
/// Longest text that is looked at for words.
pub const MOST_INPUT: usize = 1024;

/// Why a text is no key.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    TooLong,
    /// So many words, not 24.
    Count(usize),
    /// The word at this place, from 0, is not in the list.
    Unknown(usize),
    /// All words are in the list, but not these ones in this order were written down.
    Checksum,
}

/// Writes the words, one blank between them; gives how many bytes they are.
pub fn words_of(key: &[u8; 32], out: &mut [u8; MOST_TEXT]) -> Option<usize> {
    let mut used = 0;
    {
        let mnemonic = Mnemonic::from_entropy_in(Language::English, key).ok()?;
        for word in mnemonic.words() {
            for byte in (used > 0).then_some(b' ').into_iter().chain(word.bytes()) {
                *out.get_mut(used)? = byte;
                used += 1;
            }
        }
    }
    scrub_stack();
    Some(used)
}

/// Reads 24 words in any case, with any white space between them.
pub fn key_of(text: &str) -> Result<Zeroizing<[u8; 32]>, Fault> {
    let count = text.split_whitespace().count();
    if text.len() > MOST_INPUT {
        return Err(Fault::TooLong);
    }
    if count != 24 {
        return Err(Fault::Count(count));
    }
    let mut lower = Zeroizing::new([0u8; MOST_INPUT]);
    lower[..text.len()].copy_from_slice(text.as_bytes());
    lower.make_ascii_lowercase();
    let key = std::str::from_utf8(&lower[..text.len()]).map_err(|_| Fault::Unknown(0)).and_then(read);
    scrub_stack();
    key
}

fn read(lower: &str) -> Result<Zeroizing<[u8; 32]>, Fault> {
    let mnemonic = Mnemonic::parse_in_normalized(Language::English, lower).map_err(|error| match error {
        Error::UnknownWord(place) => Fault::Unknown(place),
        Error::BadWordCount(count) => Fault::Count(count),
        _ => Fault::Checksum,
    })?;
    let (mut entropy, length) = mnemonic.to_entropy_array();
    let mut key = Zeroizing::new([0u8; 32]);
    key.copy_from_slice(&entropy[..32]);
    entropy.zeroize();
    if length == 32 {
        Ok(key)
    } else {
        Err(Fault::Count(length))
    }
}

/// `bip39` leaves the bits of the key in arrays on the stack; what it used lies below this frame.
#[inline(never)]
fn scrub_stack() {
    let mut below = [0u8; 16 * 1024];
    below.zeroize();
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::*;

    /// The vectors of 32 bytes that BIP-39 names (trezor/python-mnemonic, vectors.json).
    const VECTORS: [(&str, &str); 8] = [
        (
            "0000000000000000000000000000000000000000000000000000000000000000",
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon \
             abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon art",
        ),
        (
            "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
            "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal \
             winner thank year wave sausage worth title",
        ),
        (
            "8080808080808080808080808080808080808080808080808080808080808080",
            "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic \
             avoid letter advice cage absurd amount doctor acoustic bless",
        ),
        (
            "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo vote",
        ),
        (
            "68a79eaca2324873eacc50cb9c6eca8cc68ea5d936f98787c60c7ebc74e6ce7c",
            "hamster diagram private dutch cause delay private meat slide toddler razor book happy fancy gospel tennis \
             maple dilemma loan word shrug inflict delay length",
        ),
        (
            "9f6a2878b2520799a44ef18bc7df394e7061a224d2c33cd015b157d746869863",
            "panda eyebrow bullet gorilla call smoke muffin taste mesh discover soft ostrich alcohol speed nation flash \
             devote level hobby quick inner drive ghost inside",
        ),
        (
            "066dca1a2bb7e8a1db2832148ce9933eea0f3ac9548d793112d9a95c9407efad",
            "all hour make first leader extend hole alien behind guard gospel lava path output census museum junior \
             mass reopen famous sing advance salt reform",
        ),
        (
            "f585c11aec520db57dd353c69554b21a89b20fb0650966fa0a9d6f74fd989d8f",
            "void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing screen patrol \
             group space point ten exist slush involve unfold",
        ),
    ];

    fn key(hex: &str) -> [u8; 32] {
        let mut out = [0; 32];
        for (i, byte) in out.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).expect("hex");
        }
        out
    }

    fn text_of(key: &[u8; 32]) -> String {
        let mut out = [0; MOST_TEXT];
        let length = words_of(key, &mut out).expect("24 words fit");
        String::from_utf8(out[..length].to_vec()).expect("ASCII")
    }

    #[test]
    fn the_vectors_of_bip39_both_ways() {
        for (hex, words) in VECTORS {
            assert_eq!(text_of(&key(hex)), words);
            assert_eq!(*key_of(words).expect(words), key(hex));
        }
    }

    #[test]
    fn case_and_white_space_do_not_matter() {
        let (hex, words) = VECTORS[4];
        let typed = format!("  {}\n", words.to_uppercase().replace(' ', "\t\r\n "));
        assert_eq!(*key_of(&typed).expect("typed"), key(hex));
    }

    #[test]
    fn a_wrong_word_is_told_by_its_place_and_a_wrong_order_by_the_checksum() {
        let (_, words) = VECTORS[5];
        assert_eq!(key_of(&words.replace("gorilla", "gorila")), Err(Fault::Unknown(3)));
        assert_eq!(key_of(&words.replace("gorilla", "horse")), Err(Fault::Checksum));
        assert_eq!(key_of(&words.replace("panda eyebrow", "eyebrow panda")), Err(Fault::Checksum));
    }

    #[test]
    fn another_number_of_words_is_no_key() {
        // 12 words are a mnemonic, but of 16 bytes.
        let twelve = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
        assert_eq!(key_of(twelve), Err(Fault::Count(12)));
        assert_eq!(key_of(""), Err(Fault::Count(0)));
        assert_eq!(key_of(&format!("{} zoo", VECTORS[0].1)), Err(Fault::Count(25)));
    }

    #[test]
    fn a_text_that_is_too_long_is_refused_whatever_stands_in_it() {
        assert_eq!(key_of(&format!("{}{}", VECTORS[0].1, " ".repeat(MOST_INPUT))), Err(Fault::TooLong));
        assert_eq!(key_of(&"é ".repeat(24)), Err(Fault::Unknown(0)));
    }
}
