// operand_texels.wgsl   a matmul operand in a texture, four elements a texel, 2048 texels a row
// in     x: what the operand spans in memory
// out    x_vector, x_element: by their place in x
// grid   none: the generator splices it into operand_rows.wgsl and operand_columns.wgsl
// begin data
@group(0) @binding(1) var x_data: texture_storage_2d<rgba32float, read>;
fn x_vector(i: u32) -> vec4f {
  return textureLoad(x_data, vec2u(i & 2047u, i >> 11u));
}
fn x_element(i: u32) -> f32 {
  let all = x_vector(i / 4u);
  let pair = select(all.xy, all.zw, (i & 2u) == 2u);
  return select(pair.x, pair.y, (i & 1u) == 1u);
}
// end data
