// A whole book: chain, rules and balances. `verifier/almoner_verify.py` does the same on its own;
// its first lines say which sequence is named when something does not fit.

import { Malformed, readLine } from "./line.js";
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

/** A book while it is read: `add` takes the lines in order and throws a `Finding` at a bad one. */
export class Book {
  size = 0;
  first = null;
  last = null;
  lastHash = null;
  #nonces = new Set();
  #entryIds = new Set();
  #reversed = new Set();
  #moves = [];
  #routeNumbers = new Map();
  #sums = new Map();
  #sides = new Map();

  add(bytes) {
    const entry = this.#read(bytes);
    const hash = hashOf(bytes);
    this.#checkChain(entry, hash);
    const brokenRule =
      this.#brokenIdentity(entry) || this.#brokenMoney(entry) || this.#brokenCorrection(entry) || this.#usedName(entry);
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
    const { amount, currency, debit, credit } = entry;
    if (amount < 0) return "its amount is negative";
    if (debit === credit) return "it moves from an account to the same account";
    if (currency === NOTHING && amount) return "it moves an amount of no currency";
    if (entry.book === "public") {
      const isAllowed = (account) => this.#sideOf(account) || (currency === NOTHING && NOWHERE.includes(account));
      if (!isAllowed(debit) || !isAllowed(credit)) return "an account is neither a place nor a purpose";
    }
    const isExact =
      Number.isSafeInteger(this.#sum(debit, currency) + amount) &&
      Number.isSafeInteger(this.#sum(credit, currency) - amount);
    return isExact ? "" : "a balance is out of range";
  }

  #brokenCorrection(entry) {
    if (entry.operation !== "CORRECTION") return "";
    const target = Object.hasOwn(entry.metadata, "reverses") ? entry.metadata.reverses : null;
    if (!Number.isSafeInteger(target) || target < 1 || target >= this.size) {
      return "it does not name the earlier entry that it reverses";
    }
    if (this.#reversed.has(target)) return "it reverses an entry that was reversed before";
    const [route, amount] = this.#moves[target];
    const isMirror = route === this.#routeNumbers.get(mirrorOf(entry)) && amount === entry.amount;
    return isMirror ? "" : "it does not mirror the entry that it reverses";
  }

  #usedName(entry) {
    if (this.#nonces.has(entry.nonce)) return "its nonce was used before";
    return this.#entryIds.has(entry.entry_id) ? "its entry_id was used before" : "";
  }

  #take(entry, hash) {
    const { amount, currency, debit, credit } = entry;
    this.first ??= entry;
    this.last = entry;
    this.lastHash = hash;
    this.size += 1;
    this.#nonces.add(entry.nonce);
    this.#entryIds.add(entry.entry_id);
    const route = routeOf(debit, credit, currency);
    if (!this.#routeNumbers.has(route)) this.#routeNumbers.set(route, this.#routeNumbers.size);
    this.#moves.push([this.#routeNumbers.get(route), amount]);
    this.#move(debit, currency, amount);
    this.#move(credit, currency, -amount);
    if (entry.operation === "CORRECTION") this.#reversed.add(entry.metadata.reverses);
  }

  #move(account, currency, amount) {
    if (!this.#sums.has(currency)) this.#sums.set(currency, new Map());
    this.#sums.get(currency).set(account, this.#sum(account, currency) + amount);
  }

  #sum(account, currency) {
    return this.#sums.get(currency)?.get(account) ?? 0;
  }

  #sideOf(account) {
    let side = this.#sides.get(account);
    if (side === undefined) {
      side = PLACE.test(account) ? "places" : PURPOSE.test(account) ? "purposes" : "";
      this.#sides.set(account, side);
    }
    return side;
  }

  /** The balances that are not zero, positive where money is: `{places: […], purposes: […]}`. */
  balances() {
    const balances = { places: [], purposes: [] };
    for (const [currency, sums] of this.#sums) {
      for (const [account, sum] of sums) {
        const side = this.#sideOf(account);
        if (!side || !sum || currency === NOTHING) continue;
        balances[side].push({ account, currency, amount: side === "places" ? sum : -sum });
      }
    }
    for (const side of SIDES) balances[side].sort(byAccount);
    return balances;
  }
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

function routeOf(debit, credit, currency) {
  return JSON.stringify([debit, credit, currency]);
}

function mirrorOf(entry) {
  return routeOf(entry.credit, entry.debit, entry.currency);
}

function byAccount(one, other) {
  const [left, right] = [one, other].map(({ account, currency }) => `${account} ${currency}`);
  return left < right ? -1 : left > right ? 1 : 0;
}
