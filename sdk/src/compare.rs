//! `memcmp`, which compiled code calls to compare texts. The compiler's own goes byte by byte in a function that is
//! never inlined; in the sandbox each function and each turn of a loop begins with a look at the time, so that most of
//! a comparison was that. Most texts differ in their first byte, and ids of one kind in their last.

use core::cmp::Ordering;

/// Below, equal to or above 0, as the first of `size` bytes in which they differ is.
///
/// # Safety
/// `size` bytes can be read from both.
// SAFETY: it is what the C standard's function of this name is.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(one: *const u8, two: *const u8, size: usize) -> i32 {
    const WORD: usize = size_of::<u64>();
    // SAFETY: nothing is read behind `size` bytes.
    unsafe {
        if size == 0 {
            return 0;
        }
        if *one != *two {
            return i32::from(*one) - i32::from(*two);
        }
        let mut at = 0;
        while size - at >= WORD {
            // The first byte decides: the highest of a number that begins with it.
            let first = u64::from_be(one.add(at).cast::<u64>().read_unaligned());
            let second = u64::from_be(two.add(at).cast::<u64>().read_unaligned());
            match first.cmp(&second) {
                Ordering::Equal => at += WORD,
                other => return other as i32,
            }
        }
        while at < size {
            let (first, second) = (*one.add(at), *two.add(at));
            if first != second {
                return i32::from(first) - i32::from(second);
            }
            at += 1;
        }
        0
    }
}
