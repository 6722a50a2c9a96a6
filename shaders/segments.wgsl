// segments.wgsl   the segment that a coordinate lies in, by bisection
// in     table: u32, ascending starts of segments from `first` on, `count` of them
// out    number of the last start that is <= c
// grid   none: a library
// oracle tests/support/reference_device_body.ts; exact
@group(0) @binding(1) var<storage, read> table: array<u32>;

fn segment_of(c: u32, first: u32, count: u32) -> i32 {
  // the answer lies in [low, high)
  var low = 0u;
  var high = count;
  while (high - low > 1u) {
    let middle = (low + high) / 2u;
    if (table[first + middle] <= c) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return i32(low);
}
