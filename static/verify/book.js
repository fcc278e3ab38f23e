// A whole book: chain, rules and balances. `verifier/almoner_verify.py` does the same on its own;
// its first lines say which sequence is named when something does not fit.

import { ATTESTS, Series, attestationIn } from "./attestation.js";
import { Malformed, readLine } from "./line.js";
import { Keys } from "./rotation.js";
import { hashOf } from "./sha256.js";

const SLUG = "[a-z0-9][a-z0-9_-]*";
const PLACE = new RegExp(`^(?:stripe|in_transit|(?:bank|reserve|onchain):${SLUG})$`);
const PURPOSE = new RegExp(`^(?:held|external|unclassified|fund:${SLUG})$`);
const NOWHERE = ["genesis", "genesis:end"];
const NOTHING = "XXX";
const SIDES = ["places", "purposes"];

/** Something is wrong with the book: the verdict, the sequence it names, and why. */
export class Finding extends Error {
  constructor(verdict, sequence, reason) {
    super(reason);
    this.verdict = verdict;
    this.sequence = sequence;
  }
}

/** A finding, or that there is none, as reports begin. */
export function told(finding) {
  return {
    verdict: finding?.verdict ?? "VALID",
    first_bad_sequence: finding?.sequence ?? null,
    reason: finding?.message ?? "",
  };
}

/** A book while it is read: `add` takes the lines in order and throws a `Finding` at a bad one. */
export class Book {
  size = 0;
  first = null;
  last = null;
  lastHash = null;
  keys = new Keys();
  #nonces = new Set();
  #entryIds = new Set();
  #reversed = new Set();
  #amounts = [];
  #routes = [];
  #routesByKey = new Map();
  #sums = new Map();
  #series = null;

  add(bytes) {
    const entry = this.#read(bytes);
    const hash = hashOf(bytes);
    this.#checkChain(entry, hash);
    const brokenRule =
      this.#brokenIdentity(entry) ||
      this.#brokenMoney(entry) ||
      this.#brokenCorrection(entry) ||
      this.#brokenAttestation(entry) ||
      this.keys.brokenBy(entry) ||
      this.#usedName(entry);
    if (brokenRule) throw new Finding("TAMPERED", this.size, `entry ${this.size}: ${brokenRule}`);
    this.#take(entry, hash);
  }

  #read(bytes) {
    try {
      return readLine(bytes);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      throw new Finding("MALFORMED", this.size, `line ${this.size + 1}: ${error.message}`);
    }
  }

  #checkChain(entry, hash) {
    const { size, last } = this;
    if (entry.sequence !== size) {
      const isRival =
        last !== null &&
        entry.sequence === last.sequence &&
        entry.prev_entry_hash === last.prev_entry_hash &&
        hash !== this.lastHash;
      if (isRival) {
        throw new Finding("TAMPERED", size - 1, `entry ${size - 1}: a second, different entry claims its place`);
      }
      throw new Finding("TAMPERED", size, `entry ${size}: the line in its place has sequence ${entry.sequence}`);
    }
    if (last !== null && entry.prev_entry_hash !== this.lastHash) {
      throw new Finding("TAMPERED", size - 1, `entry ${size - 1}: entry ${size} recorded another hash for it`);
    }
  }

  #brokenIdentity(entry) {
    const { first, last } = this;
    if (first === null) return isGenesis(entry) ? "" : "it is not a genesis entry";
    if (entry.operation === "GENESIS") return "it is a second genesis";
    if (entry.organisation_id !== first.organisation_id || entry.book !== first.book) {
      return "it belongs to another organisation or book";
    }
    return entry.recorded_at < last.recorded_at ? "it was recorded before its predecessor" : "";
  }

  #brokenMoney(entry) {
    const { amount, currency } = entry;
    if (amount < 0) return "its amount is negative";
    if (currency === NOTHING && amount) return "it moves an amount of no currency";
    const route = this.#routeOf(entry);
    if (route.brokenRule) return route.brokenRule;
    const isExact =
      Number.isSafeInteger(route.debited.debits + amount) && Number.isSafeInteger(route.credited.credits + amount);
    return isExact ? "" : "a balance is out of range";
  }

  #brokenCorrection(entry) {
    if (entry.operation !== "CORRECTION") return "";
    const target = Object.hasOwn(entry.metadata, "reverses") ? entry.metadata.reverses : null;
    if (!Number.isSafeInteger(target) || target < 1 || target >= this.size) {
      return "it does not name the earlier entry that it reverses";
    }
    if (this.#reversed.has(target)) return "it reverses an entry that was reversed before";
    const mirror = keyOf(entry.credit, entry.debit, entry.currency);
    const isMirror = this.#routes[target] === this.#routesByKey.get(mirror) && this.#amounts[target] === entry.amount;
    return isMirror ? "" : "it does not mirror the entry that it reverses";
  }

  #brokenAttestation(entry) {
    if (entry.operation !== ATTESTS) return this.#series ? "it interrupts the attestation before it" : "";
    if (entry.book !== "public") return "it attests the balances of a book that is not public";
    const stated = attestationIn(entry);
    if (stated === null) return "it attests in an unknown form";
    this.#series ??= new Series(this.size, stated.parts, this.#attestable());
    return this.#series.brokenBy(stated);
  }

  /** What an attestation must say here: the sums of every account, in its order. */
  #attestable() {
    const rows = [...this.#sums.values()].filter(({ currency }) => currency !== NOTHING);
    return rows.sort((one, other) => compare(one.currency, other.currency) || compare(one.account, other.account));
  }

  #usedName(entry) {
    if (this.#nonces.has(entry.nonce)) return "its nonce was used before";
    return this.#entryIds.has(entry.entry_id) ? "its entry_id was used before" : "";
  }

  #take(entry, hash) {
    const { amount } = entry;
    const route = this.#routeOf(entry);
    this.first ??= entry;
    this.keys.take(entry);
    this.last = entry;
    this.lastHash = hash;
    this.size += 1;
    // Parts of a line keep all of it in memory; what JSON reads is a copy.
    const [nonce, entryId] = JSON.parse(JSON.stringify([entry.nonce, entry.entry_id]));
    this.#nonces.add(nonce);
    this.#entryIds.add(entryId);
    this.#move(route, amount);
    if (entry.operation === "CORRECTION") this.#reversed.add(entry.metadata.reverses);
    if (this.#series) this.#series = this.#series.after();
  }

  #move(route, amount) {
    this.#routes.push(route);
    this.#amounts.push(amount);
    this.#sums.set(route.debited.key, route.debited).set(route.credited.key, route.credited);
    route.debited.debits += amount;
    route.credited.credits += amount;
  }

  /** What entries between the same accounts share; control characters are in no name. */
  #routeOf({ book, debit, credit, currency }) {
    const key = keyOf(debit, credit, currency);
    let route = this.#routesByKey.get(key);
    if (route === undefined) {
      const brokenRule = brokenRoute(book, debit, credit, currency);
      route = { brokenRule, debited: this.#sumsOf(debit, currency), credited: this.#sumsOf(credit, currency) };
      this.#routesByKey.set(key, route);
    }
    return route;
  }

  #sumsOf(account, currency) {
    const key = `${account}\n${currency}`;
    return this.#sums.get(key) ?? { key, account, currency, debits: 0, credits: 0 };
  }

  /** All that the entries to come are judged by; null amid an attestation. */
  memory() {
    if (this.#series) return null;
    const { first, last, lastHash } = this;
    const places = new Map([...this.#routesByKey.values()].map((route, place) => [route, place]));
    return {
      first,
      last,
      lastHash,
      nonces: [...this.#nonces].join("\n"),
      entryIds: [...this.#entryIds].join("\n"),
      reversed: [...this.#reversed],
      amounts: Float64Array.from(this.#amounts),
      routes: Uint32Array.from(this.#routes, (route) => places.get(route)),
      routeNames: [...this.#routesByKey.keys()],
      keys: this.keys.parts(),
    };
  }

  /** The book that had this memory; throws something if it is none. */
  static from({ first, last, lastHash, nonces, entryIds, reversed, amounts, routes, routeNames, keys }) {
    const book = new Book();
    Object.assign(book, { first, last, lastHash, size: amounts.length, keys: new Keys(keys) });
    book.#nonces = new Set(nonces.split("\n"));
    book.#entryIds = new Set(entryIds.split("\n"));
    book.#reversed = new Set(reversed);
    const sides = routeNames.map((name) => name.split("\n"));
    routes.forEach((place, sequence) => {
      const [debit, credit, currency] = sides[place];
      book.#move(book.#routeOf({ book: first.book, debit, credit, currency }), amounts[sequence]);
    });
    const counts = [book.#nonces.size, book.#entryIds.size, routes.length, last.sequence + 1];
    if (!counts.every((count) => count === book.size)) throw new Malformed("it is not the memory of a book");
    return book;
  }

  /** The balances that are not zero, positive where money is: `{places: […], purposes: […]}`. */
  balances() {
    const balances = { places: [], purposes: [] };
    for (const { account, currency, debits, credits } of this.#attestable()) {
      const side = sideOf(account);
      const sum = debits - credits;
      if (side && sum) balances[side].push({ account, currency, amount: side === "places" ? sum : -sum });
    }
    for (const side of SIDES) balances[side].sort(byAccount);
    return balances;
  }
}

function brokenRoute(book, debit, credit, currency) {
  if (debit === credit) return "it moves from an account to the same account";
  const isAllowed = (account) => sideOf(account) || (currency === NOTHING && NOWHERE.includes(account));
  const isBroken = book === "public" && !(isAllowed(debit) && isAllowed(credit));
  return isBroken ? "an account is neither a place nor a purpose" : "";
}

function sideOf(account) {
  return PLACE.test(account) ? "places" : PURPOSE.test(account) ? "purposes" : "";
}

function isGenesis(entry) {
  return (
    entry.operation === "GENESIS" &&
    entry.amount === 0 &&
    entry.currency === NOTHING &&
    entry.nonce === "genesis" &&
    entry.prev_entry_hash === null &&
    entry.debit === NOWHERE[0] &&
    entry.credit === NOWHERE[1]
  );
}

function keyOf(debit, credit, currency) {
  return `${debit}\n${credit}\n${currency}`;
}

function compare(one, other) {
  return one < other ? -1 : one > other ? 1 : 0;
}

function byAccount(one, other) {
  const [left, right] = [one, other].map(({ account, currency }) => `${account} ${currency}`);
  return compare(left, right);
}
