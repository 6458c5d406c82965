/// Whether an entry of a list matches the name of a class or a handler: ASCII case is ignored, and
/// `*` stands for any characters, including none.
///
/// It tries every way there is, so a long entry with many `*` takes exponential time.
pub fn matches(entry: &str, name: &str) -> bool {
    let entry: Vec<char> = entry.chars().collect();
    let name: Vec<char> = name.chars().collect();
    matches_chars(&entry, &name)
}

fn matches_chars(entry: &[char], name: &[char]) -> bool {
    if entry.is_empty() {
        return name.is_empty();
    }
    if entry[0] == '*' {
        return matches_chars(&entry[1..], name) || (!name.is_empty() && matches_chars(entry, &name[1..]));
    }
    !name.is_empty() && entry[0].eq_ignore_ascii_case(&name[0]) && matches_chars(&entry[1..], &name[1..])
}
