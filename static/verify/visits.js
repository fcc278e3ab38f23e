// What a visit leaves for the next one to its address: of which log the book was, and the book and its tree by then.
//
// It only saves work. What contradicts what was signed before is told by `memory.js`, and whose word is taken,
// by the policy of each visit: the keys are walked from the first that the book names.

import { Book } from "./book.js";
import { Tree } from "./merkle.js";

/** The book and the tree that a visit left, and what the visit was; null if they are none. */
export function startIn({ book, tree, verifiedAt }) {
  try {
    const start = { book: Book.from(book), tree: new Tree(tree) };
    const { size } = start.book;
    return size === start.tree.size ? { ...start, since: { size, verifiedAt } } : null;
  } catch {
    return null;
  }
}
