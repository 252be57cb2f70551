//! Memory of the library is that of the system. Where there is none left, the reserve of the core
//! is opened (`memory` there), so that what runs comes to the place where it is refused.

use std::alloc::{GlobalAlloc, Layout, System};

use pg_assess_core::memory;

struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn or_of_reserve(bytes: usize, take: impl Fn() -> *mut u8) -> *mut u8 {
    let taken = take();
    match taken.is_null() && memory::open_reserve(bytes) {
        true => take(),
        false => taken,
    }
}

// SAFETY: all is done by the system's allocator, a second time where the first has changed nothing;
// open_reserve() does not unwind, and asks for no memory.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps its promises.
        or_of_reserve(layout.size(), || unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        or_of_reserve(layout.size(), || unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above; what could not grow is still there.
        or_of_reserve(size, || unsafe { System.realloc(memory, layout, size) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}
