//! The copies of the static command, on any system.
#[path = "../src/copy.rs"]
mod copy;

use copy::{memcpy, memmove};

/// More than two blocks and a rest.
const LONGEST: usize = 200;
const BYTES: usize = 3 * LONGEST;

#[test]
fn bytes_that_overlap_are_copied_as_if_they_did_not() {
    let bytes: Vec<u8> = (0..BYTES).map(|number| number as u8).collect();
    for length in 0..=LONGEST {
        for to in 0..BYTES - LONGEST {
            let (mut copied, mut expected) = (bytes.clone(), bytes.clone());
            expected.copy_within(LONGEST..LONGEST + length, to);
            let start = copied.as_mut_ptr();
            // SAFETY: both are in the vector.
            let returned = unsafe { memmove(start.add(to), start.add(LONGEST), length) };
            assert_eq!(returned, copied[to..].as_mut_ptr());
            assert!(copied == expected, "{length} bytes from {LONGEST} to {to}");
        }
    }
}

#[test]
fn bytes_that_are_apart_are_copied() {
    let bytes: Vec<u8> = (0..LONGEST).map(|number| number as u8).collect();
    for length in 0..=LONGEST {
        let mut copied = vec![0; LONGEST];
        // SAFETY: both are as long.
        unsafe { memcpy(copied.as_mut_ptr(), bytes.as_ptr(), length) };
        assert_eq!(copied[..length], bytes[..length]);
        assert!(copied[length..].iter().all(|byte| *byte == 0), "{length} bytes");
    }
}
