// The Merkle tree of a log (RFC 9162 §2.1): its root from the leaves as they come, or from one leaf and its path.

import { Malformed } from "./line.js";
import { sha256 } from "./sha256.js";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

export function leafHash(line) {
  return sha256.create().update(LEAF).update(line).digest();
}

function nodeHash(left, right) {
  return sha256.create().update(NODE).update(left).update(right).digest();
}

/** A tree that grows by leaves; of whole subtrees it keeps the root alone. */
export class Tree {
  #subtrees;

  constructor({ size, subtrees } = { size: 0, subtrees: [] }) {
    this.size = size;
    this.#subtrees = [...subtrees];
  }

  /** What a tree is made of again, also by another worker. */
  parts() {
    return { size: this.size, subtrees: [...this.#subtrees] };
  }

  add(line) {
    let hash = leafHash(line);
    for (let pairs = this.size; pairs % 2; pairs = (pairs - 1) / 2) hash = nodeHash(this.#subtrees.pop(), hash);
    this.#subtrees.push(hash);
    this.size += 1;
  }

  /** The root over the leaves so far; a lone node is carried up as it is. */
  root() {
    if (!this.size) return sha256(new Uint8Array(0));
    return this.#subtrees.reduceRight((right, left) => nodeHash(left, right));
  }
}

/** The root of `size` leaves of which one is known; takes its steps off the path, the uppermost first. */
export function climb(leaf, index, size, path) {
  if (size === 1) return leaf;
  if (!path.length) throw new Malformed("the path is too short");
  const sibling = path.pop();
  const middle = split(size);
  if (index < middle) return nodeHash(climb(leaf, index, middle, path), sibling);
  return nodeHash(sibling, climb(leaf, index - middle, size - middle, path));
}

/** The largest power of two below a size of 2 or more; sizes have more bits than `<<` knows. */
function split(size) {
  let middle = 1;
  while (middle * 2 < size) middle *= 2;
  return middle;
}
