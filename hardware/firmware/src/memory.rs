//! The heap, and how much of the memory was ever in use.
//!
//! One of the two files of the firmware with `unsafe` (the other is `machine/register.rs`, beside the
//! handlers that the runtimes want to be unsafe): an allocator is handed raw memory, and to see how deep
//! the stack was, what lies below it is painted and read back.

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::{Cell, UnsafeCell},
    mem::MaybeUninit,
    ptr,
};

use critical_section::Mutex;
use embedded_alloc::LlffHeap;

/// Room for the longest line three times over, read as badly as JSON can be, and the channel.
const HEAP: usize = 28 * 1024;
/// What unused stack is painted with.
const PAINT: u32 = 0xC01D_C0DE;
/// What the painter itself needs of the stack, in bytes.
const MARGIN: usize = 256;

/// Memory in use, in bytes.
pub(crate) struct Used {
    /// Statics, without the heap's room.
    pub(crate) fixed: usize,
    /// The deepest the stack has been.
    pub(crate) stack: usize,
    /// The most the heap has held.
    pub(crate) heap: usize,
    /// What the heap holds now.
    pub(crate) heap_now: usize,
}

/// A heap that remembers its fullest moment.
struct Measured {
    heap: LlffHeap,
    peak: Mutex<Cell<usize>>,
}

#[global_allocator]
static MEASURED: Measured = Measured { heap: LlffHeap::empty(), peak: Mutex::new(Cell::new(0)) };

/// The heap's room.
struct Room(UnsafeCell<MaybeUninit<[u8; HEAP]>>);

// SAFETY: only `prepare` looks at it, once, to hand it to the allocator.
unsafe impl Sync for Room {}

static ROOM: Room = Room(UnsafeCell::new(MaybeUninit::uninit()));

// SAFETY: memory comes from and goes back to the heap alone; counting changes nothing of it.
unsafe impl GlobalAlloc for Measured {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about the layout is passed on.
        let place = unsafe { self.heap.alloc(layout) };
        critical_section::with(|cs| {
            let peak = self.peak.borrow(cs);
            peak.set(peak.get().max(self.heap.used()));
        });
        place
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise that `place` came from `alloc` is passed on.
        unsafe { self.heap.dealloc(place, layout) }
    }
}

unsafe extern "C" {
    /// The end of the statics, from the runtimes' linker scripts: the stack grows down to here.
    static __sheap: u32;
    /// The end of the memory, where the stack begins.
    static _stack_start: u32;
}

/// Gives the heap its room and paints the unused stack; to be called first, and once.
pub(crate) fn prepare() {
    // SAFETY: the room is a static that nothing else uses, and this is called once.
    unsafe { MEASURED.heap.init(ROOM.0.get() as usize, HEAP) };
    let (bottom, top) = (bottom(), here() - MARGIN);
    for place in (bottom..top).step_by(size_of::<u32>()) {
        // SAFETY: above the statics and below the stack in use there is nothing.
        unsafe { ptr::write_volatile(place as *mut u32, PAINT) };
    }
}

/// How much memory has been in use at most.
pub(crate) fn used() -> Used {
    let (bottom, top) = (bottom(), &raw const _stack_start as usize);
    let is_painted = |place: &usize| {
        // SAFETY: aligned memory between the statics and the top of the stack, which may always be read.
        let word = unsafe { ptr::read_volatile(*place as *const u32) };
        word == PAINT
    };
    let untouched = (bottom..top).step_by(size_of::<u32>()).take_while(is_painted).count() * size_of::<u32>();
    Used {
        fixed: bottom - machine_memory() - HEAP,
        stack: top - bottom - untouched,
        heap: critical_section::with(|cs| MEASURED.peak.borrow(cs).get()),
        heap_now: MEASURED.heap.used(),
    }
}

fn bottom() -> usize {
    &raw const __sheap as usize
}

/// Where memory begins.
fn machine_memory() -> usize {
    crate::machine::MEMORY
}

/// About where the stack is now.
fn here() -> usize {
    let mark = 0_u32;
    &raw const mark as usize
}
