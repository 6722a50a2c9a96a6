/**
 * Columns in the making, cell by cell.
 *
 * @module
 */
import { DataError } from "../base/errors.ts";
import type { TableColumn, TextColumn, TextType } from "./table.ts";

/** A column of texts in the making. */
export class TextBuilder {
  readonly #texts: string[] = [];
  readonly #places: number[] = [];
  readonly #known = new Map<string, number>();
  #codes = new Int32Array(1024);
  #rows = 0;

  /** Adds the cell of the next row. */
  add(text: string, place: number): void {
    let code = this.#known.get(text);
    if (code === undefined) {
      code = this.#texts.push(text) - 1;
      this.#places.push(place);
      this.#known.set(text, code);
    }
    if (this.#rows === this.#codes.length) {
      const more = new Int32Array(this.#rows * 2);
      more.set(this.#codes);
      this.#codes = more;
    }
    this.#codes[this.#rows++] = code;
  }

  /** The column. */
  done(type: TextType): TextColumn {
    const codes = this.#codes.subarray(0, this.#rows);
    return { kind: "text", type, texts: this.#texts, places: this.#places, codes };
  }
}

/** Numbers that typed arrays of files hold. */
export type NumberArray = Float64Array | Float32Array | Int32Array | Uint32Array | Int16Array | Uint16Array | Int8Array;

const NAMES: Readonly<Record<TextType | "number", string>> = {
  cells: "a text",
  text: "a text",
  bool: "true or false",
  date: "a date",
  time: "a time",
  integer: "a number",
  number: "a number",
};

/**
 * A column of a file that says what its cells are. All cells of a column are alike; whole numbers beyond 2^53, which no
 * number here holds exactly, make it one of texts with all digits.
 */
export class ColumnBuilder {
  readonly #where: (place: number) => string;
  #form: TextType | "number" | null = null;
  #numbers = new Float64Array(0);
  #texts: TextBuilder | null = null;
  #rows = 0;

  /** @param where A place in the file with the column, for messages. */
  constructor(where: (place: number) => string) {
    this.#where = where;
  }

  /** Rows so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Adds a missing cell. */
  missing(place: number): void {
    if (this.#texts !== null) this.#texts.add("", place);
    else this.#room(1)[this.#rows] = NaN;
    this.#rows++;
  }

  /** Adds a number. */
  number(value: number, place: number): void {
    if (this.#form === "number") {
      this.#room(1)[this.#rows++] = value;
      return;
    }
    this.#begin("number", place);
    if (this.#form === "integer") this.#texts!.add(String(value), place);
    else this.#room(1)[this.#rows] = value;
    this.#rows++;
  }

  /** Adds many numbers. */
  numbers(values: NumberArray, place: number): void {
    if (this.#form !== "number" && values.length > 0) this.#begin("number", place);
    if (this.#form === "integer") {
      for (let i = 0; i < values.length; i++) this.number(values[i], place + i);
      return;
    }
    this.#room(values.length).set(values, this.#rows);
    this.#rows += values.length;
  }

  /** Adds a whole number of any size. */
  integer(value: bigint, place: number): void {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return this.number(number, place);
    this.#begin("integer", place);
    this.#texts!.add(String(value), place);
    this.#rows++;
  }

  /** Adds a text. */
  text(value: string, type: TextType, place: number): void {
    if (this.#form !== type) this.#begin(type, place);
    this.#texts!.add(value, place);
    this.#rows++;
  }

  #begin(form: TextType | "number", place: number): void {
    const before = this.#form;
    if (before === form || before === "integer" && form === "number") return;
    if (before !== null && !(before === "number" && form === "integer")) {
      throw new DataError(
        `Cannot read ${this.#where(place)}: cells of a column are alike, got ${NAMES[form]} below ${NAMES[before]}`,
      );
    }
    this.#form = form;
    if (form === "number") return;
    this.#texts = new TextBuilder(); // what was read before is missing, or numbers
    for (let r = 0; r < this.#rows; r++) {
      const value = this.#numbers[r];
      this.#texts.add(Number.isNaN(value) ? "" : String(value), r + 1);
    }
    this.#numbers = new Float64Array(0);
  }

  #room(more: number): Float64Array {
    const needed = this.#rows + more;
    if (needed > this.#numbers.length) {
      const larger = new Float64Array(Math.max(needed, this.#numbers.length * 2, 1024));
      larger.set(this.#numbers.subarray(0, this.#rows));
      this.#numbers = larger;
    }
    return this.#numbers;
  }

  /** The column; one without any cell that is there holds empty texts. */
  done(): TableColumn {
    if (this.#form === null) {
      const texts = new TextBuilder();
      for (let r = 0; r < this.#rows; r++) texts.add("", r + 1);
      return texts.done("text");
    }
    if (this.#texts !== null) return this.#texts.done(this.#form as TextType);
    return { kind: "number", values: this.#numbers.subarray(0, this.#rows) };
  }
}
