// quotient.wgsl   division of indices: adapters that run on a CPU take an integer division apart into one per thread
// in     n < 2^31, 0 < d < 2^31
// out    floor(n / d)
// grid   none: kernels that divide carry the function
// maths  the f32 quotient, corrected by that of the rest, then by one up or down
// oracle tests/device/webgpu/quotient_test.ts; exact
// begin quotient
fn quotient(n: u32, d: u32) -> u32 {
  let inverse = 1.0 / f32(d);
  var q = u32(f32(n) * inverse);
  q += bitcast<u32>(i32(f32(bitcast<i32>(n - q * d)) * inverse));
  let rest = bitcast<i32>(n - q * d);
  return q + select(select(0u, 1u, rest >= bitcast<i32>(d)), 0xffffffffu, rest < 0);
}
// end quotient
