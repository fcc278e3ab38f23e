// Verify what standard input lists ({content (base64), head, balances} a case) and print the verdicts.

import { readFileSync } from "node:fs";
import { Finding } from "../../static/verify/book.js";
import { Verification, readBalances } from "../../static/verify/verification.js";

const CHUNK_BYTES = 1000;

async function verdictOf({ content, head = null, balances = null }) {
  const bytes = Buffer.from(content, "base64");
  const claims = balances ? [{ size: null, balances: readBalances(balances) }] : [];
  const verification = new Verification(head, claims);
  try {
    for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
      verification.write(bytes.subarray(start, start + CHUNK_BYTES));
    }
    await verification.finish();
    return verification.report();
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    return verification.report(error);
  }
}

const cases = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(await Promise.all(cases.map(verdictOf))));
