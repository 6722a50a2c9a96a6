/**
 * Shares temporary memory among values that are not needed at the same time.
 *
 * @module
 */

/** How long a value is needed, in numbers of kernels, both ends included. */
export interface Lifetime {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** For each lifetime the number of its memory, and the size of each memory. No two lives that overlap share one. */
export function shareMemory(lives: readonly Lifetime[]): { place: number[]; sizes: number[] } {
  const order = lives.map((_, i) => i).sort((a, b) =>
    lives[a].first - lives[b].first || lives[b].bytes - lives[a].bytes
  );
  const place = new Array<number>(lives.length);
  const sizes: number[] = [];
  const until: number[] = []; // last kernel that needs each memory
  for (const i of order) {
    const { bytes, first, last } = lives[i];
    let best = -1;
    for (let m = 0; m < sizes.length; m++) {
      if (until[m] >= first) continue;
      if (best < 0) best = m;
      else if (sizes[best] >= bytes) {
        if (sizes[m] >= bytes && sizes[m] < sizes[best]) best = m; // the tightest that is large enough
      } else if (sizes[m] > sizes[best]) best = m; // or the one that needs to grow least
    }
    if (best < 0) {
      best = sizes.length;
      sizes.push(0);
      until.push(-1);
    }
    sizes[best] = Math.max(sizes[best], bytes);
    until[best] = last;
    place[i] = best;
  }
  return { place, sizes };
}
