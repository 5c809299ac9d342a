//! The guest's memory. Each call runs in a fresh instance that is thrown away, so nothing is worth
//! freeing: a bump over a static arena, which falls back to growing the memory.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::{Cell, UnsafeCell};

/// Enough for most calls, so that most instances never grow.
const ARENA: usize = 256 * 1024;
const PAGE: usize = 64 * 1024;

#[repr(align(16))]
struct Arena(UnsafeCell<[u8; ARENA]>);

struct Bump {
    /// Address of the next free byte; 0 before the first allocation.
    next: Cell<usize>,
    /// Address after the last byte of the current block.
    end: Cell<usize>,
}

// SAFETY: a component instance has one thread; the contract has no shared memory.
unsafe impl Sync for Bump {}
// SAFETY: as above.
unsafe impl Sync for Arena {}

static MEMORY: Arena = Arena(UnsafeCell::new([0; ARENA]));

#[global_allocator]
static ALLOCATOR: Bump = Bump { next: Cell::new(0), end: Cell::new(0) };

impl Bump {
    /// A new block of at least `size` bytes; joined to the last one when it lies right behind it.
    #[cold]
    fn grow(&self, size: usize) -> bool {
        let pages = size.div_ceil(PAGE);
        let before = core::arch::wasm32::memory_grow(0, pages);
        if before == usize::MAX {
            return false;
        }
        let start = before * PAGE;
        if self.end.get() != start {
            self.next.set(start);
        }
        // The last page of a full 4 GiB would wrap to 0.
        self.end.set(start.saturating_add(pages * PAGE));
        true
    }
}

// SAFETY: blocks are handed out once, from memory that this allocator alone owns (the static arena,
// and pages that it grew), aligned as asked and never overlapping.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.end.get() == 0 {
            let start = MEMORY.0.get() as usize;
            self.next.set(start);
            self.end.set(start + ARENA);
        }
        loop {
            // An alignment is a power of two: a mask does what a division would.
            let mask = layout.align() - 1;
            let start = self.next.get().checked_add(mask).map(|start| start & !mask);
            let end = start.and_then(|start| start.checked_add(layout.size()));
            match start.zip(end) {
                Some((start, end)) if end <= self.end.get() => {
                    self.next.set(end);
                    return start as *mut u8;
                }
                // Once for the alignment and the size together: the second round fits.
                Some(_) if self.grow(layout.size().saturating_add(layout.align())) => {}
                _ => return core::ptr::null_mut(),
            }
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // Only the newest block can be had back.
        if block as usize + layout.size() == self.next.get() {
            self.next.set(block as usize);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let start = block as usize;
        // The newest block grows and shrinks in place, which is what a growing text or list does.
        if start + layout.size() == self.next.get()
            && let Some(end) = start.checked_add(new_size)
            && end <= self.end.get()
        {
            self.next.set(end);
            return block;
        }
        if new_size <= layout.size() {
            return block;
        }
        // SAFETY: the caller keeps the promises of `realloc`, which include those of `Layout`; the
        // two blocks do not overlap, and both are at least `layout.size()` bytes long.
        unsafe {
            let fresh = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !fresh.is_null() {
                core::ptr::copy_nonoverlapping(block, fresh, layout.size());
            }
            fresh
        }
    }
}
