// texel_halves.wgsl   lays an operand of f16 for operand_texels.wgsl: texel i holds elements 4 i to 4 i + 3 of x as f32
// in     x: f16; the hook says how it is read, four at a time. K[0] = (first vector of x, texels, grid width, -)
// out    texels
// grid   texels / WG
// WG     threads: 8..64
// maths  copies: f32 has every number of f16
// oracle tests/support/reference_device_kernels.ts
// variants WG=8|64
override WG: u32 = 64u;

@group(0) @binding(0) var<uniform> K: array<vec4u, 1>;
// hook x
@group(0) @binding(1) var<storage, read> x_data: array<vec4f>;
fn x_vector(i: u32) -> vec4f {
  return x_data[i];
}
// end hook
@group(0) @binding(2) var texels: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = (group.y * K[0].z + group.x) * WG + local;
  if (i < K[0].y) {
    textureStore(texels, vec2u(i & 2047u, i >> 11u), x_vector(K[0].x + i));
  }
}
