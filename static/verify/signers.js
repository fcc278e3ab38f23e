// Who signed, in words: the log’s key and how it changed, and the witnesses.

import { counted } from "./numbers.js";

const UNWITNESSED = "No witness was asked: this does not show that everybody is shown the same ledger.";

/** Whose the signature is; a key that was not given is believed. */
export function whose({ checkpoint }, keyIsGiven) {
  const isSuccessor = checkpoint.succeeds.length > 0;
  if (keyIsGiven && isSuccessor) return "The signature is of the key that took the place of the one you gave.";
  if (keyIsGiven) return "The signature is of the key that you gave.";
  const named = isSuccessor ? "the ledger itself names" : "the ledger’s own first line names";
  return (
    `The signature is of the key that ${named}: whoever keeps a copy of that key, ` +
    "and compares it, need not believe this page."
  );
}

/** One change of the key, as a book’s report has it. */
export function change({ sequence, is_signed: isSigned }) {
  const change = `The key changed at entry ${counted(sequence)}`;
  if (isSigned) return `${change}, and the one before signed that.`;
  return `${change}, and the one before did not sign that: ask the organisation whether it lost it.`;
}

/** The witnesses that signed a checkpoint, as its report has them. */
export function signersOf({ witnesses }) {
  return witnesses.filter(({ signed_at: time }) => time !== null);
}

export function witnessed(checkpoint) {
  const [count, all] = [signersOf(checkpoint).length, checkpoint.witnesses.length];
  const whom = all === 1 ? "Your witness" : `${counted(count)} of your ${counted(all)} witnesses`;
  return count ? [`${whom} signed it too: they were shown the same ledger.`] : [];
}

/** What is not shown where no witness signed. */
export function unwitnessed(checkpoint) {
  if (signersOf(checkpoint).length) return [];
  if (!checkpoint.witnesses.length) return [UNWITNESSED];
  return ["No witness of yours signed it: this does not show that everybody is shown the same ledger."];
}

export function witnessesOf(checkpoint) {
  const names = signersOf(checkpoint).map(({ vkey }) => vkey.split("+")[0]);
  return names.length ? [{ name: "Witnesses", value: names.join(", ") }] : [];
}
