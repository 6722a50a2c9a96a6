// operand_rows.wgsl   4x4 blocks of a matmul operand whose rows are contiguous and aligned to four elements
// in     x: (m, k) for the left operand, (k, n) for the right one; x_row: stride of a row; x_end: sizes
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
  return x_element(base + r * x_stride().x + c);
}

fn x_block(base: u32, r: u32, c: u32) -> mat4x4f {
  let last = x_end().x - 1u;
  let row = x_stride().x / 4u;
  let at = base / 4u + min(c, x_end().y - 4u) / 4u;
  return mat4x4f(
    x_vector(at + min(r, last) * row),
    x_vector(at + min(r + 1u, last) * row),
    x_vector(at + min(r + 2u, last) * row),
    x_vector(at + min(r + 3u, last) * row),
  );
}
// end operand
