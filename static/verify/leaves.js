// The tree over the first lines of an export, out of its bytes: hashed beside, while the book is read.

import { Lines } from "./lines.js";
import { Tree } from "./merkle.js";
import { startTwin } from "./start.js";

const SMALL_BYTES = 1024 * 1024;

/** `write` takes the bytes, `finish` gives the tree as it was at each of `sizes`, if it came so far. */
export class Leaves {
  #sizes;
  #tree;
  #trees = new Map();
  #lines = new Lines((line) => this.#grow(line));

  /** `tree` is of the lines before the first that will be written. */
  constructor(sizes, tree = new Tree()) {
    this.#sizes = new Set(sizes);
    this.#tree = tree;
    this.#keep();
  }

  write(chunk) {
    if (this.#trees.size < this.#sizes.size) this.#lines.write(chunk);
  }

  async finish() {
    return this.#trees;
  }

  #grow(line) {
    this.#tree.add(line);
    this.#keep();
  }

  #keep() {
    const { size } = this.#tree;
    if (this.#sizes.has(size)) this.#trees.set(size, new Tree(this.#tree.parts()));
  }
}

/**
 * The same in another worker, which runs the script of this one; `serveLeaves` is its end. A book that is read
 * before the other worker would have started is hashed here.
 */
class LeavesBeside {
  #given;
  #held = [];
  #bytes = 0;
  #worker = null;
  #trees;
  /** Settled once the other worker runs: it is started by this one's thread, which must not be busy meanwhile. */
  ready = Promise.resolve();

  constructor(sizes, tree = new Tree()) {
    this.#given = { sizes, tree: tree.parts() };
  }

  write(chunk) {
    const copy = chunk.slice();
    if (this.#worker) {
      this.#worker.postMessage(copy, [copy.buffer]);
      return;
    }
    this.#held.push(copy);
    this.#bytes += copy.length;
    if (this.#bytes > SMALL_BYTES) this.#start();
  }

  async finish() {
    if (!this.#worker) return this.#hashedHere();
    this.#worker.postMessage(null);
    const trees = await this.#trees;
    this.#worker.terminate();
    return new Map([...trees].map(([size, parts]) => [size, new Tree(parts)]));
  }

  #start() {
    this.#worker = startTwin();
    this.ready = this.#answer();
    this.#trees = this.ready.then(() => this.#answer());
    this.#trees.catch(() => {}); // whoever finishes is told
    this.#worker.postMessage({ leaves: this.#given });
    for (const chunk of this.#held.splice(0)) this.#worker.postMessage(chunk, [chunk.buffer]);
  }

  #answer() {
    return new Promise((resolve, reject) => {
      this.#worker.addEventListener("message", ({ data }) => resolve(data), { once: true });
      this.#worker.addEventListener("error", () => reject(new Error("A second worker could not be started.")));
    });
  }

  #hashedHere() {
    const leaves = new Leaves(this.#given.sizes, new Tree(this.#given.tree));
    for (const chunk of this.#held) leaves.write(chunk);
    return leaves.finish();
  }
}

/** Leaves that are hashed beside where workers can start workers, else in this one. */
export function leavesOf(sizes, tree) {
  return typeof Worker === "function" ? new LeavesBeside(sizes, tree) : new Leaves(sizes, tree);
}

/** Be the worker of `LeavesBeside`: chunks come, and null after the last. */
export function serveLeaves({ sizes, tree }) {
  const leaves = new Leaves(sizes, new Tree(tree));
  self.postMessage("ready");
  self.addEventListener("message", async ({ data: chunk }) => {
    if (chunk) leaves.write(chunk);
    else self.postMessage(new Map([...(await leaves.finish())].map(([size, tree]) => [size, tree.parts()])));
  });
}
