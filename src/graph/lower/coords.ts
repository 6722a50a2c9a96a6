/**
 * Coordinates of a node's element as functions of the coordinate in a kernel's domain: one affine form per axis, or one for
 * several adjacent axes where a reshape has merged them.
 *
 * @module
 */
import type { Shape } from "../../base/shape.ts";
import type { Guard } from "../../device/contract.ts";

/** `offset + sum(c[i] * strides[i])` over the axes of a kernel's domain. */
export interface Form {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** The row-major index within the axes `first..last` of a node's shape. */
interface Group extends Form {
  readonly first: number;
  readonly last: number;
}

/** Coordinates of a node's element. Axes of size 1 belong to no group. */
export interface Coords {
  readonly groups: readonly Group[];
  readonly guards: readonly Guard[];
}

/** The form that is 0 everywhere in a domain of `rank` axes. */
export function zeroForm(rank: number): Form {
  return { offset: 0, strides: new Array<number>(rank).fill(0) };
}

/** `a + b * factor` */
export function addForms(a: Form, b: Form, factor = 1): Form {
  return { offset: a.offset + b.offset * factor, strides: a.strides.map((s, i) => s + b.strides[i] * factor) };
}

/** `a * factor + offset` */
export function scaleForm(a: Form, factor: number, offset = 0): Form {
  return { offset: a.offset * factor + offset, strides: a.strides.map((s) => s * factor) };
}

/** Smallest and largest value of a form over a domain. */
export function reach(form: Form, domain: Shape): [number, number] {
  let low = form.offset, high = form.offset;
  form.strides.forEach((s, i) => s < 0 ? low += s * (domain[i] - 1) : high += s * (domain[i] - 1));
  return [low, high];
}

/** Coordinates whose axis `i` is `forms[i]`. */
export function fromForms(shape: Shape, forms: readonly Form[], guards: readonly Guard[] = []): Coords {
  const groups: Group[] = [];
  shape.forEach((n, i) => {
    if (n !== 1) groups.push({ ...forms[i], first: i, last: i });
  });
  return { groups, guards };
}

/** The domain's own axes as coordinates of a tensor with the domain's shape. */
export function identity(domain: Shape): Coords {
  const forms = domain.map((_, i) => ({ offset: 0, strides: domain.map((_, j) => i === j ? 1 : 0) }));
  return fromForms(domain, forms);
}

function product(shape: Shape, first: number, last: number): number {
  let n = 1;
  for (let i = first; i <= last; i++) n *= shape[i];
  return n;
}

/** Splits a group between axis `at - 1` and axis `at`, where its form allows it. */
function split(g: Group, shape: Shape, at: number, domain: Shape): [Group, Group] | null {
  const d = product(shape, at, g.last); // index = quotient * d + rest
  if (g.offset < 0) return null;
  const q = { offset: Math.floor(g.offset / d), strides: g.strides.map((s) => s % d === 0 ? s / d : 0) };
  const r = { offset: g.offset % d, strides: g.strides.map((s) => s % d === 0 ? 0 : s) };
  const [low, high] = reach(r, domain);
  if (low < 0 || high >= d) return null;
  return [{ ...q, first: g.first, last: at - 1 }, { ...r, first: at, last: g.last }];
}

/** One form per axis of `shape`, or null where a group cannot be split. */
export function axisForms(c: Coords, shape: Shape, domain: Shape): Form[] | null {
  const forms: Form[] = shape.map(() => zeroForm(domain.length));
  for (let g of c.groups) {
    while (g.first < g.last) {
      if (shape[g.first] === 1) g = { ...g, first: g.first + 1 };
      else if (product(shape, g.first + 1, g.last) === 1) g = { ...g, last: g.first };
      else {
        const parts = split(g, shape, g.first + 1, domain);
        if (parts === null) return null;
        forms[g.first] = parts[0];
        g = parts[1];
      }
    }
    forms[g.first] = g;
  }
  return forms;
}

/** Coordinates in a tensor of shape `to` that has the same elements in row-major order as one of shape `from`. */
export function reshapeCoords(c: Coords, from: Shape, to: Shape): Coords {
  const groups: Group[] = [];
  let axis = 0;
  let i = 0;
  while (i < c.groups.length) {
    // extend groups on one side and axes on the other until both cover the same number of elements
    while (axis < to.length && to[axis] === 1) axis++;
    const first = axis;
    let left = product(from, c.groups[i].first, c.groups[i].last);
    let form: Form = c.groups[i++];
    let right = to[axis];
    while (left !== right) {
      if (left < right) {
        const g = c.groups[i++];
        const n = product(from, g.first, g.last);
        form = addForms(g, form, n);
        left *= n;
      } else {
        axis++;
        right *= to[axis];
      }
    }
    groups.push({ first, last: axis, offset: form.offset, strides: form.strides });
    axis++;
  }
  return { groups, guards: c.guards };
}

/** Whether two forms have the same value all over the domain. */
export function sameForm(a: Form, b: Form, domain: Shape): boolean {
  if (a.offset !== b.offset) return false;
  for (let i = 0; i < domain.length; i++) if (domain[i] !== 1 && a.strides[i] !== b.strides[i]) return false;
  return true;
}

/**
 * Coordinates in an operand of shape `to` that broadcasts to `from`; null where repeated axes cannot be separated from
 * the others.
 */
export function broadcastCoords(c: Coords, from: Shape, to: Shape, domain: Shape): Coords | null {
  const lead = from.length - to.length;
  const groups: Group[] = [];
  for (const g of c.groups) {
    let whole = true, none = true;
    for (let a = g.first; a <= g.last; a++) {
      if (from[a] === 1) continue;
      if (a < lead || to[a - lead] === 1) whole = false;
      else none = false;
    }
    if (none) continue;
    if (whole) {
      groups.push({ first: g.first - lead, last: g.last - lead, offset: g.offset, strides: g.strides });
      continue;
    }
    const forms = axisForms({ groups: [g], guards: [] }, from, domain);
    if (forms === null) return null;
    for (let a = Math.max(g.first, lead); a <= g.last; a++) {
      if (to[a - lead] !== 1) groups.push({ ...forms[a], first: a - lead, last: a - lead });
    }
  }
  return {
    groups: groups.map(({ first, last, offset, strides }) => trim({ first, last, offset, strides }, to)),
    guards: c.guards,
  };
}

/** Drops leading axes that a broadcast operand does not have. */
function trim(g: Group, shape: Shape): Group {
  let { first, last } = g;
  while (first < 0) first++;
  while (last > first && shape[last] === 1) last--;
  while (first < last && shape[first] === 1) first++;
  return { ...g, first, last };
}

/** The row-major index of the element at `c` in a tensor of `shape`: its address in contiguous memory. */
export function addressForm(c: Coords, shape: Shape, rank: number): Form {
  let form = zeroForm(rank);
  let stride = 1;
  const strides = new Array<number>(shape.length);
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i];
  }
  for (const g of c.groups) form = addForms(form, g, strides[g.last]);
  return form;
}
