// conv_pack.wgsl   lays the left operand of a convolution for conv_uniform.wgsl
// in     a: f32 or f16; the hook says where it starts. K[0] = (m, terms, groups, tiles of 16 rows), K[1] = last two sizes of k, terms in a
//        chunk, chunks, K[2] = strides of a (m, k), K[3] = terms of a chunk that are bound at once, parts of a chunk, grid width
// out    packed[part, chunk, g, tile, k, row]: f32, rows of a tile next to each other, 0 beyond the ends
// grid   parts * chunks * groups * tiles * terms of a part * 4 / WG, folded over x and y
// WG     threads: 8..64
// maths  copies
// oracle tests/support/reference_device_kernels.ts
// variants WG=8|64
override WG: u32 = 64u;

@group(0) @binding(0) var<uniform> K: array<vec4u, 4>;
// hook a
@group(0) @binding(1) var<storage, read> a_data: array<f32>;
fn a_element(i: u32) -> f32 {
  return a_data[i];
}
fn a_base(g: u32) -> u32 {
  return g * K[0].x * K[0].y;
}
// end hook
// hook packed
@group(0) @binding(2) var<storage, read_write> packed: array<vec4f>;
// end hook

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = (group.y * K[3].z + group.x) * WG + local;
  let tile = at / (4u * K[3].x);
  let all = K[0].w * K[0].z * K[1].w;
  if (tile >= all * K[3].y) {
    return;
  }
  // within the chunk, then within k
  let inside = (tile / all) * K[3].x + (at / 4u) % K[3].x;
  let own = tile % all;
  let g = (own / K[0].w) % K[0].z;
  let k = own / (K[0].w * K[0].z) * K[1].z + inside;
  var value = vec4f();
  if (inside < K[1].z && k < K[0].y) {
    let m = 16u * (own % K[0].w) + 4u * (at % 4u);
    let from_k = a_base(g) + k / (K[1].x * K[1].y) * K[2].y + (k / K[1].y) % K[1].x * K[2].z + k % K[1].y * K[2].w;
    let rows = vec4u(m) + vec4u(0u, 1u, 2u, 3u);
    let r = vec4u(from_k) + min(rows, vec4u(K[0].x - 1u)) * K[2].x;
    let line = vec4f(a_element(r.x), a_element(r.y), a_element(r.z), a_element(r.w));
    value = select(vec4f(), line, rows < vec4u(K[0].x));
  }
  packed[at] = value;
}
