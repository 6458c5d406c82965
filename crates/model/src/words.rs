/// A name in a message: its first 100 bytes, up to a control character.
pub(crate) fn shown(name: &str) -> String {
    let mut shown = String::new();
    for c in name.chars() {
        if c.is_ascii_control() || shown.len() + c.len_utf8() > 100 {
            return shown + "…";
        }
        shown.push(c);
    }
    shown
}
