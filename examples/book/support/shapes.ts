/**
 * Drawn pictures of which everything is known: what is in them, where, and which pixel belongs to what. They stand in for
 * photographs with labels, masks and points, which no package carries.
 *
 * @module
 */
import { join } from "@std/path";
import { Rng } from "../../../mod.ts";

/** What can be drawn, and in which colors. */
export const KINDS = ["circle", "square", "triangle", "ring", "cross", "star", "moon"] as const;
/** Names of colors. */
export const COLORS = ["red", "green", "blue", "yellow", "white"] as const;
/** One of {@link KINDS}. */
export type Kind = typeof KINDS[number];
/** One of {@link COLORS}. */
export type Color = typeof COLORS[number];

const RGB: Readonly<Record<Color, readonly [number, number, number]>> = {
  red: [214, 66, 56],
  green: [62, 160, 78],
  blue: [56, 98, 200],
  yellow: [232, 190, 56],
  white: [236, 236, 236],
};

/** One shape in a picture. */
export interface Shape {
  /** What it is. */
  readonly kind: Kind;
  /** Its color. */
  readonly color: Color;
  /** Its middle, in pixels from the left and the top. */
  readonly x: number;
  /** See `x`. */
  readonly y: number;
  /** Half of its width, in pixels. */
  readonly r: number;
  /** By how much it is turned, in radians. */
  readonly angle: number;
}

/** A picture: where its file is, and what is in it. */
export interface Drawing {
  /** Path of the picture. */
  readonly file: string;
  /** Path of its mask: 0 where nothing is, 1 + the place of the kind in `kinds` where a shape is. */
  readonly mask: string;
  /** What is drawn, the front last. */
  readonly shapes: readonly Shape[];
}

/** Whether a place belongs to a shape; `u` and `v` from its middle, in units of `r`, turned back. */
function inside(kind: Kind, u: number, v: number): boolean {
  const d = Math.hypot(u, v);
  switch (kind) {
    case "circle":
      return d < 1;
    case "square":
      return Math.max(Math.abs(u), Math.abs(v)) < 0.85;
    case "triangle":
      return v < 0.6 && v > -1 + 1.75 * Math.abs(u);
    case "ring":
      return d < 1 && d > 0.55;
    case "cross":
      return Math.min(Math.abs(u), Math.abs(v)) < 0.3 && Math.max(Math.abs(u), Math.abs(v)) < 1;
    case "star":
      return d < 0.65 + 0.35 * Math.cos(5 * Math.atan2(v, u));
    case "moon":
      return d < 1 && Math.hypot(u - 0.5, v) > 0.8;
  }
}

/** Which of the shapes, counted from 0, a pixel shows; -1 for the ground. The last one lies in front. */
export function shapeAt(shapes: readonly Shape[], px: number, py: number): number {
  return shapes.findLastIndex(({ kind, x, y, r, angle }) => {
    const dx = (px - x) / r, dy = (py - y) / r, c = Math.cos(angle), s = Math.sin(angle);
    return inside(kind, c * dx + s * dy, c * dy - s * dx);
  });
}

/** Draws the shapes over grey noise: pixels, and the class of each. */
function draw(shapes: readonly Shape[], kinds: readonly Kind[], size: number, most: number, rng: Rng) {
  const rgb = new Uint8Array(size * size * 3), codes = new Uint8Array(size * size);
  const light = 100 + 80 * rng.uniform(), slope = rng.uniform() - 0.5;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = y * size + x, which = shapeAt(shapes, x + 0.5, y + 0.5);
      const noise = most * (rng.uniform() - 0.5) + slope * (x - size / 2);
      const base = which < 0 ? [light, light, light] : RGB[shapes[which].color];
      for (let c = 0; c < 3; c++) rgb[3 * at + c] = Math.min(255, Math.max(0, base[c] + noise));
      codes[at] = which < 0 ? 0 : 1 + kinds.indexOf(shapes[which].kind);
    }
  }
  return { rgb, codes };
}

/** What {@link drawShapes} is told. */
export interface DrawOptions {
  /** How many pictures. */
  readonly n: number;
  /** Pixels of their sides. */
  readonly size: number;
  /** Least and most shapes of a picture. */
  readonly shapes?: readonly [number, number];
  /** Kinds that are drawn. */
  readonly kinds?: readonly Kind[];
  /** Their colors. */
  readonly colors?: readonly Color[];
  /** Least and largest half width, as shares of the side; [0.16, 0.28] by default. */
  readonly radius?: readonly [number, number];
  /** By how many grey values pixels differ at most, at random; 60 by default. */
  readonly noise?: number;
  /** Folder to write to; it is made. */
  readonly folder: string;
  /** Seed of all of it. */
  readonly seed: number;
}

/** Pictures at random, written as PPM with their masks as PGM; the same ones for the same seed. */
export async function drawShapes(options: DrawOptions): Promise<Drawing[]> {
  const { n, size, shapes: [least, most] = [1, 1], kinds = KINDS, colors = COLORS, folder, seed } = options;
  const { radius: [thin, wide] = [0.16, 0.28], noise = 60 } = options;
  const rng = new Rng(seed);
  await Deno.mkdir(join(folder, "masks"), { recursive: true });
  const write = (file: string, magic: string, data: Uint8Array) =>
    Deno.writeFile(file, new Uint8Array([...new TextEncoder().encode(`${magic}\n${size} ${size}\n255\n`), ...data]));
  const drawings: Drawing[] = [];
  for (let i = 0; i < n; i++) {
    const shapes = Array.from({ length: least + rng.integer(most - least + 1) }, (): Shape => {
      const r = size * (thin + (wide - thin) * rng.uniform()), place = () => r + (size - 2 * r) * rng.uniform();
      const kind = kinds[rng.integer(kinds.length)], color = colors[rng.integer(colors.length)];
      return { kind, color, x: place(), y: place(), r, angle: 0.8 * (rng.uniform() - 0.5) };
    });
    const { rgb, codes } = draw(shapes, kinds, size, noise, rng), name = `${shapes.at(-1)?.kind ?? "nothing"}_${i}`;
    const file = join(folder, `${name}.ppm`), mask = join(folder, "masks", `${name}.pgm`);
    await Promise.all([write(file, "P6", rgb), write(mask, "P5", codes)]);
    drawings.push({ file, mask, shapes });
  }
  return drawings;
}
