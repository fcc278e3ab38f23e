// Read lines (base64, a JSON list on standard input) both ways; print those that are read differently.
// With `--plain`, print those that are not read the short way at all.

import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { readAny, readPlain } from "../../static/verify/line.js";

const mustBePlain = process.argv.includes("--plain");

function differs(text) {
  const entry = readPlain(text);
  if (entry === null) return mustBePlain;
  try {
    return !isDeepStrictEqual(entry, readAny(text));
  } catch {
    return true;
  }
}

const lines = JSON.parse(readFileSync(0, "utf8")).map((line) => Buffer.from(line, "base64").toString("utf8"));
process.stdout.write(JSON.stringify(lines.filter(differs)));
