// operand_columns.wgsl   4x4 blocks of a matmul operand whose columns are contiguous and aligned to four elements
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
@group(0) @binding(1) var<storage, read> x_data: array<vec4f>;
fn x_vector(i: u32) -> vec4f {
  return x_data[i];
}
fn x_element(i: u32) -> f32 {
  return x_data[i / 4u][i % 4u];
}
// end hook

fn x_at(base: u32, r: u32, c: u32) -> f32 {
  return x_element(base + r + c * x_stride().y);
}

fn x_block(base: u32, r: u32, c: u32) -> mat4x4f {
  let last = x_end().y - 1u;
  let column = x_stride().y / 4u;
  let at = base / 4u + min(r, x_end().x - 4u) / 4u;
  return transpose(mat4x4f(
    x_vector(at + min(c, last) * column),
    x_vector(at + min(c + 1u, last) * column),
    x_vector(at + min(c + 2u, last) * column),
    x_vector(at + min(c + 3u, last) * column),
  ));
}
// end operand
