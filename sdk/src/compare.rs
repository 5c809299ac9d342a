//! `memcmp`, which compiled code calls to compare texts. The compiler's own goes byte by byte in a function that is
//! never inlined; in the sandbox each function and each turn of a loop begins with a look at the time, so that most of
//! a comparison was that. Most texts differ in their first byte, and ids of one kind in their last.

use core::cmp::Ordering;

/// Below, equal to or above 0, as the first of `size` bytes in which they differ is.
///
/// # Safety
/// `size` bytes can be read from both.
// SAFETY: it is what the C standard's function of this name is. Where tests run, there is one.
#[cfg_attr(target_family = "wasm", unsafe(no_mangle))]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_that_differs_decides_wherever_it_is() {
        for size in 0..40 {
            let one = vec![0x7f; size];
            let equal = one.clone();
            // SAFETY: both are `size` bytes long.
            assert_eq!(unsafe { memcmp(one.as_ptr(), equal.as_ptr(), size) }, 0);
            for at in 0..size {
                for byte in [0x00, 0x7e, 0x80, 0xff] {
                    let mut two = one.clone();
                    two[at] = byte;
                    // What comes behind says the opposite, and is not heard.
                    two[at + 1..].fill(if byte < 0x7f { 0xff } else { 0x00 });
                    // SAFETY: as above.
                    let order = unsafe { memcmp(one.as_ptr(), two.as_ptr(), size) };
                    assert_eq!(order.cmp(&0), one.cmp(&two), "{size} bytes, differing at {at}");
                }
            }
        }
    }
}
