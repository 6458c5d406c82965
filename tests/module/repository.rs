//! The rest of the repository: it says what is so, in all places the same.
