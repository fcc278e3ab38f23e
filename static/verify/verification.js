// One run over an export: bytes in as they come, a verdict out. Pure: no network, no page.

import { Book, Finding } from "./book.js";
import { LINE_BYTES_MAX } from "./line.js";

const LF = 10;

/** A verification that `write` feeds and `finish` ends; both throw a `Finding` at the first fault. */
export class Verification {
  book = new Book();
  bytes = 0;
  #rest = new Uint8Array(0);
  #isWhole = false;
  #atSize = new Map();
  #started = performance.now();
  #sizes;

  /** `head` is `{size, head_hash}` or null; `claims` are balances given for a size (null: the head's). */
  constructor(head = null, claims = []) {
    this.head = head;
    this.claims = claims;
    this.#sizes = new Set([head?.size, ...claims.map(({ size }) => size)]);
  }

  write(chunk) {
    this.bytes += chunk.length;
    const bytes = this.#rest.length ? joined(this.#rest, chunk) : chunk;
    let start = 0;
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
      this.#add(bytes.subarray(start, end));
      start = end + 1;
    }
    this.#rest = bytes.slice(start);
    if (this.#rest.length > LINE_BYTES_MAX + 1) this.#refuseEnd();
  }

  finish() {
    if (this.#rest.length) this.#refuseEnd();
    this.#isWhole = true;
    this.#checkHead();
    for (const claim of this.claims) this.#checkBalances(claim);
  }

  #add(line) {
    if (line.length > LINE_BYTES_MAX + 1) this.#refuseEnd();
    this.book.add(line);
    if (this.#sizes.has(this.book.size)) {
      this.#atSize.set(this.book.size, { hash: this.book.lastHash, balances: this.book.balances() });
    }
  }

  #refuseEnd() {
    const { size } = this.book;
    throw new Finding("MALFORMED", size, `line ${size + 1}: it does not end with LF within its limit`);
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

  /** The verdict as one object; hash and balances only of a book that was read whole. */
  report(finding = null) {
    const { book } = this;
    return {
      verdict: finding?.verdict ?? "VALID",
      first_bad_sequence: finding?.sequence ?? null,
      reason: finding?.message ?? "",
      entries: book.size,
      head_hash: this.#isWhole ? book.lastHash : null,
      organisation_id: book.first?.organisation_id ?? null,
      book: book.first?.book ?? null,
      balances: this.#isWhole ? book.balances() : { places: [], purposes: [] },
      elapsed_seconds: Math.round(performance.now() - this.#started) / 1000,
    };
  }
}

/** Check the shape of a head document. */
export function readHead(document) {
  if (Number.isSafeInteger(document?.size) && document.size > 0 && typeof document.head_hash === "string") {
    return { size: document.size, head_hash: document.head_hash };
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

function joined(first, second) {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
