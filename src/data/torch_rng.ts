/**
 * PyTorch's random permutations, so that a split by seed is the one that fastai makes.
 *
 * @see Matsumoto and Nishimura 1998, Mersenne Twister
 * @module
 */

const N = 624, M = 397;

/** The Mersenne Twister MT19937, 32 bits a draw. */
function twister(seed: number): () => number {
  const state = new Uint32Array(N);
  state[0] = seed >>> 0;
  for (let i = 1; i < N; i++) {
    const last = state[i - 1] ^ (state[i - 1] >>> 30);
    state[i] = Math.imul(1812433253, last) + i;
  }
  let at = N;
  const mix = (high: number, low: number): number => {
    const y = (high & 0x80000000) | (low & 0x7fffffff);
    return (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
  };
  return () => {
    if (at === N) {
      for (let i = 0; i < N; i++) state[i] = state[(i + M) % N] ^ mix(state[i], state[(i + 1) % N]);
      at = 0;
    }
    let y = state[at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

/** What `torch.manual_seed(seed); torch.randperm(n)` gives on a CPU. */
export function torchPermutation(n: number, seed: number): Int32Array {
  const draw = twister(seed), order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < n - 1; i++) {
    const j = i + draw() % (n - i);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
