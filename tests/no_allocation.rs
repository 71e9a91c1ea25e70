//! A step allocates nothing: a run twice as long allocates exactly as often.

use braincell::cells::SingleCompartment;
use braincell::input::Input;
use braincell::simulation::Setup;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

struct Counting;

/// Held by each test, so that others do not allocate at the same time.
static ALONE: Mutex<()> = Mutex::new(());
/// Of all threads.
static ALL: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    ALL.fetch_add(1, Ordering::Relaxed);
    // Not while a thread ends.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: everything is done by the allocator of the system; counting allocates nothing.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(at, layout, size) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of `f` on this thread.
fn allocations(f: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    f();
    ALLOCATIONS.get() - before
}

fn alone() -> impl Drop {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn allocations_are_counted() {
    let _alone = alone();
    let count = allocations(|| drop(std::hint::black_box(vec![0u8; 3])));
    assert_eq!(count, 1);
}

#[test]
fn steps_allocate_nothing() {
    let _alone = alone();
    let registry = braincell::solvers();
    // Spikes are detected, one input jumps between and one inside steps, cells form unequal tiles. The list of jumps is
    // made once for a run; the inputs jump until 30 ms, so that it is equally long for both runs.
    let cell = SingleCompartment::hodgkin_huxley()
        .input("on the grid", Input::pulses(8.0, 0.0, 1.0, 2.0, 15))
        .input("off the grid", Input::pulses(4.0, 0.003, 1.0, 2.0, 15));
    let model = cell.population(5).unwrap();
    let dt = 0.01;
    for entry in registry.entries() {
        let name = entry.info.name.as_str();
        if let Some(missing) = entry.info.needs.missing(model.capabilities()) {
            println!("{name} skipped: it needs {missing}");
            continue;
        }
        let setup = Setup::new(name, dt).record("V").record("I").every(0.1);
        let setup = setup.spikes("V", 0.0).tile(2).threads(1);
        let mut spikes = 0;
        let [short, long] = [30.0, 40.0].map(|until| {
            let mut run = setup.start::<f64>(registry, &model).unwrap();
            run.run(20.0).unwrap();
            let count = allocations(|| run.run(until).unwrap());
            let trains = run.recording();
            spikes = trains.spikes().iter().map(|train| train.times.len()).sum();
            count
        });
        println!("{name:<20} {short} allocations in 1000 steps, {long} in 2000; {spikes} spikes");
        assert_eq!(short, long, "{name}: a step allocates");
    }
}

#[test]
fn steps_allocate_nothing_on_other_threads() {
    let _alone = alone();
    let cell = SingleCompartment::hodgkin_huxley();
    let cell = cell.input("stimulus", Input::pulses(8.0, 0.003, 1.0, 2.0, 15));
    let model = cell.population(6).unwrap();
    let count = |name: &str, until: f64| {
        let setup = Setup::new(name, 0.01).record("V").every(0.1);
        let setup = setup.spikes("V", 0.0).tile(2).threads(2);
        let mut run = setup.start::<f64>(braincell::solvers(), &model).unwrap();
        run.run(20.0).unwrap();
        let before = ALL.load(Ordering::Relaxed);
        run.run(until).unwrap();
        ALL.load(Ordering::Relaxed) - before
    };
    let registry = braincell::solvers();
    let names = ["rk4", "exp_euler", "staggered", "implicit_euler"];
    for name in names.into_iter().filter(|name| registry.get(name).is_ok()) {
        let (short, long) = (count(name, 30.0), count(name, 40.0));
        println!("{name:<20} {short} allocations in 1000 steps, {long} in 2000");
        // Starting a block of steps allocates, and so may the harness of the tests, but not a thousand times.
        assert!(long < short + 500, "{name}: a step allocates");
    }
}
