//! Gradebooks from outside and to it: checked bytes, and text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::Poll;
use crate::gradebook::builder::Builder;
use crate::gradebook::error::{Error, Result};
use crate::gradebook::flat::Gradebook;
use crate::gradebook::form::TEXT_PREFIX;
use crate::memory;

impl Gradebook<'_> {
    /// Bytes from outside, checked and in canonical form: other bytes may hold the same (numbers
    /// written at length, ids, scales and marks that nothing refers to), and equal rows give equal bytes.
    pub fn canonical(bytes: &[u8], poll: Poll<'_>) -> Result<Vec<u8>> {
        let mut builder = Builder::new();
        builder.merge(&Gradebook::open(bytes)?, poll)?;
        builder.encode(poll)
    }

    /// How long the text form of so many bytes is.
    pub fn text_bytes(bytes: usize) -> usize {
        TEXT_PREFIX.len() + 4 * bytes.div_ceil(3)
    }

    /// The text form: a word that names the type, and the flat form in base64. It is exact,
    /// safe in a dump and not meant to be read; the set-returning functions are.
    pub fn to_text(bytes: &[u8]) -> String {
        // With room for the zero byte at the end of a string of C.
        let mut text = String::with_capacity(Self::text_bytes(bytes.len()) + 1);
        text.push_str(TEXT_PREFIX);
        BASE64.encode_string(bytes, &mut text);
        text
    }

    /// Reads the text form into checked bytes in [canonical](Gradebook::canonical) form.
    pub fn from_text(text: &str, poll: Poll<'_>) -> Result<Vec<u8>> {
        let code = text
            .trim()
            .strip_prefix(TEXT_PREFIX)
            .ok_or(Error::Malformed("the word gradebook: is missing in front"))?;
        memory::ask(code.len())?;
        let bytes = BASE64
            .decode(code)
            .map_err(|_| Error::Malformed("its text is not valid base64"))?;
        Gradebook::canonical(&bytes, poll)
    }
}
