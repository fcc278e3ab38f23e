// Two checkpoints: whether both can be of one book. If their sizes differ, an export of it must tell.

import { Finding, told } from "./book.js";
import { areEqual } from "./bytes.js";
import { Lines } from "./lines.js";
import { Tree } from "./merkle.js";
import { found, readCheckpoint, shown } from "./notes.js";

/** `add` takes the checkpoints, `write` the export, and `finish` compares; each throws a `Finding` at a fault. */
export class Comparison {
  checkpoints = [];
  #bytes = 0;
  #tree = new Tree();
  #roots = new Map([[0, this.#tree.root()]]);
  #lines = new Lines((line) => this.#grow(line));

  add(bytes, policy) {
    const checkpoint = found(() => readCheckpoint(bytes));
    this.checkpoints.push(checkpoint);
    policy.check(checkpoint);
  }

  /** Both, the smaller first. */
  get #pair() {
    return [...this.checkpoints].sort((one, other) => one.size - other.size);
  }

  /** Whether only the book can tell: the smaller checkpoint may be its beginning, or not. */
  get needsExport() {
    const [small, large] = this.#pair;
    return small.size !== large.size;
  }

  /** Both notes, as they were signed: what proves a fork to everybody who knows the key. */
  get evidence() {
    return this.checkpoints.map(({ note }) => note).join("\n");
  }

  get progress() {
    const [, large] = this.#pair;
    return { entries: this.#tree.size, total: large.size, bytes: this.#bytes };
  }

  write(chunk) {
    this.#bytes += chunk.length;
    this.#lines.write(chunk);
  }

  finish() {
    this.#lines.finish();
    const [small, large] = this.#pair;
    if (this.needsExport) this.#checkExport(small, large);
    else if (!areEqual(small.root, large.root)) {
      throw new Finding("FORK", null, `two books of ${small.size} entries were signed, each under its own root`);
    }
  }

  report(finding = null) {
    return { ...told(finding), checkpoints: this.checkpoints.map(shown) };
  }

  #grow(line) {
    const [small, large] = this.#pair;
    if (this.#tree.size === large.size) return;
    this.#tree.add(line);
    if ([small.size, large.size].includes(this.#tree.size)) this.#roots.set(this.#tree.size, this.#tree.root());
  }

  #checkExport(small, large) {
    if (this.#tree.size < large.size) {
      throw new Finding("INCOMPLETE", null, `the export has not all ${large.size} signed entries`);
    }
    if (!areEqual(this.#roots.get(large.size), large.root)) {
      throw new Finding("TAMPERED", null, `the export is not the book of ${large.size} entries that was signed`);
    }
    if (!areEqual(this.#roots.get(small.size), small.root)) {
      const beginning = `does not begin with the ${small.size} that were signed before`;
      throw new Finding("FORK", null, `the book of ${large.size} entries ${beginning}`);
    }
  }
}
