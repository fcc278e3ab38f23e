// Solves the puzzle of a page that asks for a moment of work, and sends the form on by itself.
// The solution is a number with which the SHA-256 of puzzle and number begins with zero bits.

import { sha256 } from "./verify/sha256.js";

const TRIES_AT_ONCE = 2_000;
const form = document.querySelector("form[data-puzzle]");

if (form) {
  const { puzzle, bits } = form.dataset;
  const encoder = new TextEncoder();
  document.querySelector("[data-working]").hidden = false;

  const isSolved = (hash) => {
    const first = ((hash[0] << 24) | (hash[1] << 16) | (hash[2] << 8) | hash[3]) >>> 0;
    return first < 2 ** (32 - Number(bits));
  };

  // In parts, so that the page stays alive meanwhile.
  const solve = (from) => {
    for (let number = from; number < from + TRIES_AT_ONCE; number += 1) {
      if (isSolved(sha256(encoder.encode(`${puzzle}:${number}`)))) {
        form.elements.solution.value = String(number);
        form.submit();
        return;
      }
    }
    setTimeout(solve, 0, from + TRIES_AT_ONCE);
  };

  solve(0);
}
