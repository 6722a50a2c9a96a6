// patch_word.wgsl   replaces some bytes of one word; queues write whole words only
// in     K: x = the word's index, y = mask of the bytes to replace, z = the bytes
// out    words: u32[n]
// grid   1
// WG     1 thread
struct Patch {
  index: u32,
  mask: u32,
  bytes: u32,
  unused: u32,
}

@group(0) @binding(0) var<uniform> K: Patch;
@group(0) @binding(1) var<storage, read_write> words: array<u32>;

@compute @workgroup_size(1)
fn main() {
  words[K.index] = (words[K.index] & ~K.mask) | (K.bytes & K.mask);
}
