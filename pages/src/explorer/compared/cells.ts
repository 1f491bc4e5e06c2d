/** The lines of a document: of one side beside the other, with blanks where that has more, or of both in one. */
import { AFTER, BEFORE, CHANGED, type Rows, type Side } from "./comparison.ts";

export class Cells {
  readonly rows: number[] = [];
  /** Whose line it is; of a line that both have, in one document, the second's. */
  readonly sides: Side[] = [];
  /** -1 where there is a blank. */
  readonly lines: number[] = [];
  private readonly first: Int32Array;

  readonly isOfBoth: boolean;

  private constructor(length: number, isOfBoth: boolean) {
    this.first = new Int32Array(length);
    this.isOfBoth = isOfBoth;
  }

  static ofSide(rows: Rows, side: Side): Cells {
    const made = new Cells(rows.length, false);
    for (let row = 0; row < rows.length; row++) made.add(row, side, rows.lines[side][row]!);
    return made;
  }

  /** A row of two lines that differ is two lines, one below the other. */
  static ofBoth(rows: Rows): Cells {
    const made = new Cells(rows.length, true);
    for (let row = 0; row < rows.length; row++) {
      const [before, after] = [rows.lines[BEFORE][row]!, rows.lines[AFTER][row]!];
      if (after < 0 || rows.kinds[row] === CHANGED) made.add(row, BEFORE, before);
      if (after >= 0) made.add(row, AFTER, after);
    }
    return made;
  }

  private add(row: number, side: Side, line: number): void {
    if (this.rows.at(-1) !== row) this.first[row] = this.rows.length;
    this.rows.push(row);
    this.sides.push(side);
    this.lines.push(line);
  }

  /** The line of the document that shows a row of this side. */
  at(row: number, side: Side): number {
    const first = this.first[row]!;
    return this.rows[first + 1] === row && this.sides[first] !== side ? first + 1 : first;
  }

  /** From the first line of a row to the last one of another. */
  span(first: number, last: number): [number, number] {
    const end = last + 1 < this.first.length ? this.first[last + 1]! : this.rows.length;
    return [this.first[first]!, end - 1];
  }
}
