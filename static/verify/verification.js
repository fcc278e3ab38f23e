// One run over an export: bytes in as they come, a verdict out. Pure: no network, no page.

import { Book, Finding, told } from "./book.js";
import { areEqual } from "./bytes.js";
import { leavesOf } from "./leaves.js";
import { Lines } from "./lines.js";
import { checkSameSize, otherBeginning } from "./memory.js";
import { checkOrganisation, shown } from "./notes.js";
import { Policy } from "./policy.js";

/** A verification that `write` feeds and `finish` ends (a promise); both throw a `Finding` at the first fault. */
export class Verification {
  #bytes = 0;
  #lines = new Lines((line, hasEnd) => this.#add(line, hasEnd));
  #leaves = null;
  #trees = new Map();
  #isKept;
  #signedBook = null;
  #isWhole = false;
  #atSize = new Map();
  #started = performance.now();
  #sizes;
  #endorsement;

  /**
   * `head` is `{size, head_hash}` or null; `claims` are balances given for a size (null: the head's).
   *
   * With a `checkpoint` of the log, the policy says whose word is taken; without a key in it, that of
   * the key which the genesis names. `remembered` is the last good checkpoint of the log. `book` and `tree`
   * are of an earlier visit, if only what came since is written; with `isKept` this one can be gone on from.
   */
  constructor(head = null, claims = [], checkpoint = null, policy = new Policy(), known = {}) {
    const { remembered = null, book = new Book(), tree, isKept = false } = known;
    this.book = book;
    this.head = head;
    this.claims = claims;
    this.checkpoint = checkpoint;
    this.policy = policy;
    this.remembered = remembered;
    this.#isKept = isKept;
    this.#sizes = new Set([head?.size, ...claims.map(({ size }) => size)]);
    if (checkpoint) this.#leaves = leavesOf([checkpoint.size, ...(remembered ? [remembered.size] : [])], tree);
    this.#mark();
  }

  /** What the next `write` had better wait for. */
  get ready() {
    return this.#leaves?.ready;
  }

  get progress() {
    return { entries: this.book.size, total: this.head?.size ?? null, bytes: this.#bytes };
  }

  write(chunk) {
    this.#bytes += chunk.length;
    this.#leaves?.write(chunk);
    this.#lines.write(chunk);
  }

  async finish() {
    this.#lines.finish();
    this.#isWhole = true;
    this.#checkHead();
    this.#checkLog();
    if (this.checkpoint) await this.#checkCheckpoint(this.checkpoint);
    for (const claim of this.claims) this.#checkBalances(claim);
    this.#checkAge();
  }

  #add(line, hasEnd) {
    const { book } = this;
    if (!hasEnd) {
      const where = `line ${book.size + 1}`;
      throw new Finding("MALFORMED", book.size, `${where}: it does not end with LF within its limit`);
    }
    book.add(line);
    this.#mark();
  }

  /** Keep what will be compared, or gone on from, of the book at this size. */
  #mark() {
    const { book, checkpoint } = this;
    if (this.#sizes.has(book.size)) {
      this.#atSize.set(book.size, { hash: book.lastHash, balances: book.balances() });
    }
    if (this.#isKept && book.size && book.size === checkpoint?.size) this.#signedBook = book.memory();
  }

  #checkHead() {
    const { head, book } = this;
    if (!book.size) throw new Finding("INCOMPLETE", null, "the export is empty: there is not even a genesis");
    if (!head) return;
    if (book.size < head.size) {
      throw new Finding("INCOMPLETE", null, `the export ends after ${book.size} of ${head.size} entries`);
    }
    if (this.#atSize.get(head.size).hash !== head.head_hash) {
      const last = head.size - 1;
      throw new Finding("TAMPERED", last, `entry ${last}: the stated head has another hash for it`);
    }
  }

  /** No other log takes the place of one that was verified, and neither does none. */
  #checkLog() {
    const { checkpoint, remembered } = this;
    if (!remembered || checkpoint?.origin === remembered.origin) return;
    const { origin, size } = remembered;
    const reason = `no checkpoint of ${origin} is stated, and you verified one of ${size} entries before`;
    throw new Finding("STALE", null, reason);
  }

  /** Compare the tree of the signed entries; those that came since are not signed yet. */
  async #checkCheckpoint(checkpoint) {
    const { book, policy } = this;
    this.#endorsement = policy.check(checkpoint, book);
    checkSameSize(checkpoint, this.remembered);
    if (book.size < checkpoint.size) {
      const reason = `the export ends after ${book.size} of ${checkpoint.size} signed entries`;
      throw new Finding("INCOMPLETE", null, reason);
    }
    this.#trees = await this.#leaves.finish();
    if (!this.#hasRootOf(checkpoint)) {
      throw new Finding("TAMPERED", null, `the first ${checkpoint.size} entries are not those that were signed`);
    }
    checkOrganisation(checkpoint, book.first);
    this.#checkRemembered(checkpoint.size);
  }

  /** A book that is gone on from has no tree of before, and is judged anew. */
  #hasRootOf({ size, root }) {
    return this.#trees.has(size) && areEqual(this.#trees.get(size).root(), root);
  }

  /** Compare with what was good before. Entries that are not signed yet prove no fork. */
  #checkRemembered(signed) {
    const { remembered, book } = this;
    if (!remembered || remembered.size > book.size) return;
    if (this.#hasRootOf(remembered)) return;
    if (remembered.size <= signed) throw otherBeginning(signed, remembered.size);
    const reason = `the first ${remembered.size} entries are not those that you verified before`;
    throw new Finding("TAMPERED", null, reason);
  }

  /** All is right, but was signed before something that is known. */
  #checkAge() {
    const { checkpoint, remembered } = this;
    if (!remembered || checkpoint.size >= remembered.size) return;
    const sizes = `${checkpoint.size} entries, and you verified ${remembered.size} before`;
    throw new Finding("STALE", null, `the checkpoint is an old one: it speaks of ${sizes}`);
  }

  /** Compare at the size the claim was made for, since the book may have grown after it. */
  #checkBalances({ size, balances, isPartial }) {
    const counted = this.#atSize.get(size ?? this.head?.size)?.balances ?? this.book.balances();
    for (const side of ["places", "purposes"]) {
      const ours = amounts(counted[side]);
      const listed = amounts(balances[side]);
      const absent = isPartial ? [] : counted[side].filter((row) => !listed.has(keyOf(row)));
      const rows = [...balances[side], ...absent.map((row) => ({ ...row, amount: 0 }))];
      for (const row of rows.sort(byKey)) {
        const amount = ours.get(keyOf(row)) ?? 0;
        if (amount !== row.amount) refuseBalance(row, amount);
      }
    }
  }

  /** What a later visit goes on from, after a verdict of VALID; null if there is nothing. */
  visit() {
    if (!this.#signedBook) return null;
    const { origin, size } = this.checkpoint;
    return { origin, size, book: this.#signedBook, tree: this.#trees.get(size).parts() };
  }

  /** The verdict as one object; hash and balances only of a book that was read whole. */
  report(finding = null) {
    const { book } = this;
    return {
      ...told(finding),
      entries: book.size,
      head_hash: this.#isWhole ? book.lastHash : null,
      organisation_id: book.first?.organisation_id ?? null,
      book: book.first?.book ?? null,
      balances: this.#isWhole ? book.balances() : { places: [], purposes: [] },
      rotations: book.keys.report(),
      ...(this.checkpoint ? this.#signed() : {}),
      elapsed_seconds: Math.round(performance.now() - this.#started) / 1000,
    };
  }

  #signed() {
    const { policy, checkpoint, remembered } = this;
    return { checkpoint: policy.shown(checkpoint, this.#endorsement), remembered: remembered && shown(remembered) };
  }
}

/** Check the shape of a head document; `note` is the checkpoint that it states, if any. */
export function readHead(document) {
  if (Number.isSafeInteger(document?.size) && document.size > 0 && typeof document.head_hash === "string") {
    const { size, head_hash, checkpoint } = document;
    return { size, head_hash, note: typeof checkpoint === "string" ? checkpoint : null };
  }
  throw new Finding("MALFORMED", null, "the head does not state a size and a head_hash");
}

/** Check the shape of a balances document. */
export function readBalances(document) {
  for (const side of ["places", "purposes"]) {
    const rows = document?.[side];
    if (!Array.isArray(rows)) throw new Finding("MALFORMED", null, "the balances do not list places and purposes");
    if (!rows.every(isBalance) || amounts(rows).size !== rows.length) {
      throw new Finding("MALFORMED", null, "the balances have a row that is no balance");
    }
  }
  return document;
}

function isBalance(row) {
  return typeof row?.account === "string" && typeof row.currency === "string" && Number.isSafeInteger(row.amount);
}

function keyOf({ account, currency }) {
  return `${account} ${currency}`;
}

function byKey(one, other) {
  return keyOf(one) < keyOf(other) ? -1 : 1;
}

function amounts(rows) {
  return new Map(rows.map((row) => [keyOf(row), row.amount]));
}

function refuseBalance({ account, currency, amount }, ours) {
  const reason = `the balance of ${account} is ${ours} ${currency} by the entries, but was given as ${amount}`;
  throw new Finding("TAMPERED", null, reason);
}
