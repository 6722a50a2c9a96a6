// operand_any.wgsl   4x4 blocks of a matmul operand with any strides
// in     x: (m, k) for the left operand, (k, n) for the right one; x_stride, x_end: strides and sizes
// out    x_block: rows r to r + 3, columns c to c + 3; beyond the end of x the last ones are repeated
// grid   none: the generator renames x and splices it into matmul_*.wgsl
@group(0) @binding(0) var<uniform> K: array<vec4u, 4>;
fn x_stride() -> vec2u {
  return K[1].xy;
}
fn x_end() -> vec2u {
  return K[0].xz;
}
// begin operand
// hook data
@group(0) @binding(1) var<storage, read> x_data: array<f32>;
fn x_element(i: u32) -> f32 {
  return x_data[i];
}
// end hook

fn x_at(base: u32, r: u32, c: u32) -> f32 {
  return x_element(base + r * x_stride().x + c * x_stride().y);
}

fn x_row(at: u32, c: u32) -> vec4f {
  let step = x_stride().y;
  let last = x_end().y - 1u;
  return vec4f(
    x_element(at + min(c, last) * step),
    x_element(at + min(c + 1u, last) * step),
    x_element(at + min(c + 2u, last) * step),
    x_element(at + min(c + 3u, last) * step),
  );
}

fn x_block(base: u32, r: u32, c: u32) -> mat4x4f {
  let step = x_stride().x;
  let last = x_end().x - 1u;
  var rows: array<vec4f, 4>;
  // four times, but compilers must not know: sixteen loads for each block of a tile make very long code
  for (var i = 0u; i < K[2].z; i++) {
    rows[i] = x_row(base + min(r + i, last) * step, c);
  }
  return mat4x4f(rows[0], rows[1], rows[2], rows[3]);
}
// end operand
