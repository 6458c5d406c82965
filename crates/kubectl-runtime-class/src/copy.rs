//! memcpy and memmove of the static command for x86_64, in place of musl's: theirs take long to start, and nearly all copies
//! of a rehearsal are of a few bytes. They took a fifteenth of its time.
//!
//! A compiler may make a call of memmove of a loop that copies. It does not here, where the two may overlap; if it did, the
//! command would end at once, and `make test-dist` with it.

/// What a turn of a loop copies.
type Block = [u128; 2];
const BLOCK: usize = size_of::<Block>();

/// See [memcpy](https://pubs.opengroup.org/onlinepubs/9799919799/functions/memcpy.html).
///
/// # Safety
/// Both are `length` bytes long.
#[cfg_attr(all(target_env = "musl", target_arch = "x86_64"), unsafe(no_mangle))]
pub unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    // SAFETY: the caller's.
    unsafe { copy(to, from, length) }
}

/// See [memmove](https://pubs.opengroup.org/onlinepubs/9799919799/functions/memmove.html).
///
/// # Safety
/// Both are `length` bytes long.
#[cfg_attr(all(target_env = "musl", target_arch = "x86_64"), unsafe(no_mangle))]
pub unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    // SAFETY: the caller's.
    unsafe { copy(to, from, length) }
}

#[inline(always)]
unsafe fn copy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    // SAFETY: the patterns say how long both are at least, and what is read has not been written.
    unsafe {
        match length {
            0 => {}
            1 => to.write(from.read()),
            2..4 => ends::<u16>(to, from, length),
            4..8 => ends::<u32>(to, from, length),
            8..16 => ends::<u64>(to, from, length),
            16..BLOCK => ends::<u128>(to, from, length),
            // `to` does not begin among the bytes of `from`: forwards.
            _ if to.addr().wrapping_sub(from.addr()) >= length => {
                let last = read::<Block>(from, length - BLOCK);
                let mut at = 0;
                while at < length - BLOCK {
                    write(to, at, read::<Block>(from, at));
                    at += BLOCK;
                }
                write(to, length - BLOCK, last);
            }
            _ => {
                let first = read::<Block>(from, 0);
                let mut at = length;
                while at > BLOCK {
                    at -= BLOCK;
                    write(to, at, read::<Block>(from, at));
                }
                write(to, 0, first);
            }
        }
    }
    to
}

/// Copies the first and the last `T`, which may overlap.
unsafe fn ends<T: Copy>(to: *mut u8, from: *const u8, length: usize) {
    let end = length - size_of::<T>();
    // SAFETY: `length` is at least the size of `T`.
    unsafe {
        let (first, last) = (read::<T>(from, 0), read::<T>(from, end));
        write(to, 0, first);
        write(to, end, last);
    }
}

unsafe fn read<T: Copy>(from: *const u8, at: usize) -> T {
    // SAFETY: the caller's.
    unsafe { from.add(at).cast::<T>().read_unaligned() }
}

unsafe fn write<T: Copy>(to: *mut u8, at: usize, value: T) {
    // SAFETY: the caller's.
    unsafe { to.add(at).cast::<T>().write_unaligned(value) }
}
