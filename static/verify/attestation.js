// What a public book attests of itself: the sums of all its accounts, in parts that follow each other.
// `verifier/almoner_verify.py` tells the form in its first lines.

export const ATTESTS = "BALANCE_ATTESTATION";

const ATTESTED_MAX = 100;
const COUNTS = { size: "number", part: "number", parts: "number", accounts: "number" };
const SUMS = { account: "string", currency: "string", debits: "number", credits: "number" };

/** An attestation that goes on: the part that is due next, and the rows from there on. */
export class Series {
  #size;
  #part = 1;
  #parts;
  #accounts;
  #due;
  #taken = 0;

  constructor(size, parts, due) {
    this.#size = size;
    this.#parts = parts;
    this.#accounts = due.length;
    this.#due = due;
  }

  /** Why the next part cannot be this; empty if it can. */
  brokenBy({ size, part, parts, accounts, rows }) {
    if (size !== this.#size) return `it attests ${size} entries, and ${this.#size} are before it`;
    if (part !== this.#part || parts !== this.#parts) {
      return `it is part ${part} of ${parts}, and part ${this.#part} of ${this.#parts} is due`;
    }
    if (accounts !== this.#accounts) {
      return `it attests ${accounts} accounts, and the entries name ${this.#accounts}`;
    }
    const due = this.#due.slice(this.#taken);
    const broken = rows.slice(0, due.length).map((row, place) => brokenRow(row, due[place])).find(Boolean);
    if (broken) return broken;
    this.#taken += rows.length;
    const left = due.length - rows.length;
    return (part === parts ? left === 0 : left > 0) ? "" : "it ends at another account";
  }

  /** What is due after this part; null after the last. */
  after() {
    this.#part += 1;
    return this.#part > this.#parts ? null : this;
  }
}

function brokenRow(row, due) {
  if (row.account !== due.account || row.currency !== due.currency) {
    return `it attests ${row.account} in ${row.currency}, and ${due.account} in ${due.currency} is due`;
  }
  const isRight = row.debits === due.debits && row.credits === due.credits;
  return isRight ? "" : `it attests other sums of ${due.account} in ${due.currency} than it has`;
}

/** What an entry attests; null if it has not the form of an attestation. */
export function attestationIn({ amount, currency, debit, credit, nonce, metadata }) {
  const counts = { ...metadata };
  const rows = [];
  for (let left = Object.keys(counts).length - Object.keys(COUNTS).length; left > 0; left -= 1) {
    const name = `a${rows.length}`;
    rows.push(counts[name]);
    delete counts[name];
  }
  if (!hasTypes(counts, COUNTS) || !rows.every((row) => hasTypes(row, SUMS))) return null;
  const { size, part, parts, accounts } = counts;
  const hasForm =
    amount === 0 &&
    currency === "XXX" &&
    debit === "genesis" &&
    credit === "genesis:end" &&
    nonce === `attestation:${size}:${part}` &&
    part >= 1 &&
    part <= parts &&
    rows.length >= Math.min(accounts, 1) &&
    rows.length <= ATTESTED_MAX;
  return hasForm ? { size, part, parts, accounts, rows } : null;
}

function hasTypes(value, types) {
  const names = Object.keys(types);
  return (
    typeof value === "object" &&
    Object.keys(value).length === names.length &&
    names.every((name) => Object.hasOwn(value, name) && typeof value[name] === types[name])
  );
}
