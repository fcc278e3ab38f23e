// Two checkpoints: whether both can be of one book. If their sizes differ, an export of it must tell.

import { Finding, told } from "./book.js";
import { areEqual } from "./bytes.js";
import { Lines } from "./lines.js";
import { checkSameSize, evidenceOf, otherBeginning } from "./memory.js";
import { Tree } from "./merkle.js";
import { found, readCheckpoint } from "./notes.js";
import { Policy } from "./policy.js";

/** `add` takes the checkpoints, `write` the export, and `finish` compares; each throws a `Finding` at a fault. */
export class Comparison {
  checkpoints = [];
  policy = new Policy();
  #endorsements = [];
  #bytes = 0;
  #tree = new Tree();
  #roots = new Map([[0, this.#tree.root()]]);
  #lines = new Lines((line) => this.#grow(line));

  add(bytes, policy) {
    const checkpoint = found(() => readCheckpoint(bytes));
    this.checkpoints.push(checkpoint);
    this.policy = policy;
    this.#endorsements.push(policy.check(checkpoint));
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

  get evidence() {
    return evidenceOf(...this.checkpoints);
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
    checkSameSize(small, large);
    if (this.needsExport) this.#checkExport(small, large);
  }

  report(finding = null) {
    const shown = this.checkpoints.map((each, place) => this.policy.shown(each, this.#endorsements[place]));
    return { ...told(finding), checkpoints: shown };
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
      throw otherBeginning(large.size, small.size);
    }
  }
}
