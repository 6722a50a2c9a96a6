// threads.as.ts   a barrier for `nt` threads over three words at `ctl`: arrivals, the generation, and whether a thread died
// maths    spins for a while, then sleeps: kernels follow each other within microseconds, runs may not

/** Waits until all `nt` threads have come; traps if one has died. */
export function barrier(ctl: usize, nt: i32): void {
  const generation = atomic.load<i32>(ctl, 4);
  if (atomic.add<i32>(ctl, 1) == nt - 1) {
    atomic.store<i32>(ctl, 0);
    atomic.store<i32>(ctl, generation + 1, 4);
    atomic.notify(ctl + 4, -1);
    return;
  }
  let spins = 20000;
  while (atomic.load<i32>(ctl, 4) == generation) {
    if (atomic.load<i32>(ctl, 8) != 0) unreachable();
    if (--spins < 0) atomic.wait<i32>(ctl + 4, generation, 100000000);
  }
}
