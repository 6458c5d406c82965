//! Text of others in messages: on one line, and short.
use std::borrow::Cow;

/// The longest name or value that a message repeats, in bytes.
pub const LONG: usize = 100;

/// The text, cut with `…` at a control character or where it is longer than `limit`.
pub fn shorten(text: &str, limit: usize) -> Cow<'_, str> {
    let is_short = text.len() <= limit && !text.bytes().any(|byte| byte.is_ascii_control());
    if is_short { Cow::Borrowed(text) } else { Cow::Owned(cut(text, limit)) }
}

/// A name or a value for a message.
pub fn short(text: &str) -> Cow<'_, str> {
    shorten(text, LONG)
}

#[cold]
fn cut(text: &str, limit: usize) -> String {
    let end = text.bytes().take(limit).position(|byte| byte.is_ascii_control()).unwrap_or(limit);
    let start = text.get(..text.floor_char_boundary(end)).unwrap_or_default();
    format!("{start}…")
}

/// Where `words` first occur in `text`. The search of the standard library costs the module 3 KB, and
/// pays only in long texts.
pub fn find(text: &str, words: &str) -> Option<usize> {
    text.as_bytes().windows(words.len()).position(|window| window == words.as_bytes())
}
