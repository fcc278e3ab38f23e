// What was good before: the last good checkpoint of each log, and what contradicts it.

import { Finding } from "./book.js";
import { areEqual } from "./bytes.js";
import { readCheckpoint } from "./notes.js";
import { orNull } from "./vkey.js";

const ENCODER = new TextEncoder();

/** Notes by the origins of their logs, as a page keeps them. */
export class Memory {
  #notes;

  constructor(notes = new Map()) {
    this.#notes = notes;
  }

  /** The last good checkpoint of a log; null if there is none that can be read. */
  recall(origin) {
    const checkpoint = orNull(() => readCheckpoint(ENCODER.encode(this.#notes.get(origin) ?? "")));
    return checkpoint?.origin === origin ? checkpoint : null;
  }
}

/** Throws a `Finding` if two checkpoints speak of as many entries, but not of the same. */
export function checkSameSize(one, other) {
  if (other?.size !== one.size || areEqual(one.root, other.root)) return;
  throw new Finding("FORK", null, `two books of ${one.size} entries were signed, each under its own root`);
}

export function otherBeginning(size, before) {
  const beginning = `does not begin with the ${before} that were signed before`;
  return new Finding("FORK", null, `the book of ${size} entries ${beginning}`);
}

/** Both notes, as they were signed: what proves a fork to everybody who knows the key. */
export function evidenceOf(...checkpoints) {
  return checkpoints.map(({ note }) => note).join("\n");
}
