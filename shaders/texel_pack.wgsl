// texel_pack.wgsl   lays an operand for conv_texel.wgsl: texel[g, o, quad, p] holds four elements along one axis of x
// in     x: f32; the hook says where it starts. K[0] = (places p, quads, o, texels), K[1] = strides of x (o, axis, -, -), length of
//        the axis in K[1].z, grid width in K[1].w; neighbours p follow each other in x
// out    texels, 0 beyond the end of the axis, and one more of zeros at the end
// grid   texels + 1 / WG, folded over x and y
// WG     threads: 8..64
// maths  copies
// oracle tests/support/reference_device_kernels.ts
// variants WG=8|64
override WG: u32 = 64u;

@group(0) @binding(0) var<uniform> K: array<vec4u, 2>;
// hook x
@group(0) @binding(1) var<storage, read> x_data: array<f32>;
fn x_base(g: u32) -> u32 {
  return g * K[0].z * K[1].x;
}
// end hook
// hook texels
@group(0) @binding(2) var texels: texture_storage_2d<rgba32float, write>;
// end hook

// hook quotient
fn quotient(n: u32, d: u32) -> u32 {
  return n / d;
}
// end hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = (group.y * K[1].w + group.x) * WG + local;
  if (at > K[0].w) {
    return;
  }
  let line = quotient(at, K[0].x);
  let p = at - line * K[0].x;
  let block = quotient(line, K[0].y);
  let quad = line - block * K[0].y;
  let g = quotient(block, K[0].z);
  let o = block - g * K[0].z;
  let first = x_base(g) + o * K[1].x + 4u * quad * K[1].y + p;
  let step = K[1].y;
  let value = vec4f(x_data[first], x_data[first + step], x_data[first + 2u * step], x_data[first + 3u * step]);
  let inside = vec4<bool>(at < K[0].w) & (vec4u(4u * quad) + vec4u(0u, 1u, 2u, 3u) < vec4u(K[1].z));
  textureStore(texels, vec2u(at & 2047u, at >> 11u), select(vec4f(), value, inside));
}
