// texel_pack.wgsl   lays an operand for conv_texel.wgsl: texel[g, o, quad, p] holds four elements along one axis of x
// in     x: f32 or f16; the hook says where it starts. K[0] = (places p, quads, o, texels), K[1] = strides of x (o, axis, -, -), length of
//        the axis in K[1].z, grid width in K[1].w, K[2] = quads of places, threads that are needed for them; neighbours p follow each other in x
// out    texels, 0 beyond the end of the axis, and one more of zeros at the end
// grid   g * o * quads * ceil(places / 4) + 1 / WG, folded over x and y
// WG     threads: 8..64
// maths  copies
// oracle tests/support/reference_device_kernels.ts
// variants WG=8|64
override WG: u32 = 64u;

@group(0) @binding(0) var<uniform> K: array<vec4u, 3>;
// hook x
@group(0) @binding(1) var<storage, read> x_data: array<f32>;
fn x_element(i: u32) -> f32 {
  return x_data[i];
}
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

fn x_line(at: u32) -> vec4f {
  return vec4f(x_element(at), x_element(at + 1u), x_element(at + 2u), x_element(at + 3u));
}

fn put(at: u32, value: vec4f) {
  textureStore(texels, vec2u(at & 2047u, at >> 11u), value);
}

// four places, which CPUs load at once
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let number = (group.y * K[1].w + group.x) * WG + local;
  if (number >= K[2].y) {
    if (number == K[2].y) {
      put(K[0].w, vec4f());
    }
    return;
  }
  let line = quotient(number, K[2].x);
  let p = 4u * (number - line * K[2].x);
  let block = quotient(line, K[0].y);
  let quad = line - block * K[0].y;
  let g = quotient(block, K[0].z);
  let o = block - g * K[0].z;
  let step = K[1].y;
  let first = x_base(g) + o * K[1].x + 4u * quad * step + p;
  let inside = vec4u(4u * quad) + vec4u(0u, 1u, 2u, 3u) < vec4u(K[1].z);
  let all = transpose(mat4x4f(x_line(first), x_line(first + step), x_line(first + 2u * step), x_line(first + 3u * step)));
  let at = line * K[0].x + p;
  put(at, select(vec4f(), all[0], inside));
  if (p + 1u < K[0].x) {
    put(at + 1u, select(vec4f(), all[1], inside));
  }
  if (p + 2u < K[0].x) {
    put(at + 2u, select(vec4f(), all[2], inside));
  }
  if (p + 3u < K[0].x) {
    put(at + 3u, select(vec4f(), all[3], inside));
  }
}
