// Read each book that standard input lists (base64) whole, and from its memory at every size; print, book by
// book, how many memories there were and at which sizes the two differ.

import { readFileSync } from "node:fs";
import { Book, Finding, told } from "../../static/verify/book.js";
import { Lines } from "../../static/verify/lines.js";

function linesOf(base64) {
  const lines = [];
  const reader = new Lines((line) => lines.push(line.slice()));
  reader.write(new Uint8Array(Buffer.from(base64, "base64")));
  return lines;
}

function resultOf(book, lines) {
  try {
    for (const line of lines) book.add(line);
    return JSON.stringify([told(null), book.size, book.lastHash, book.balances(), keysOf(book)]);
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    return JSON.stringify([told(error), book.size]);
  }
}

/** Every change of keys, and what became of the first. */
function keysOf({ keys, size }) {
  const [first] = keys.named.map(({ key }) => key);
  return [keys.report(), [false, true].map((isGiven) => first && keys.successionOf(first, size, isGiven))];
}

function compared(base64) {
  const lines = linesOf(base64);
  const whole = resultOf(new Book(), lines);
  const [book, different] = [new Book(), []];
  let memories = 0;
  for (const [place, line] of lines.entries()) {
    resultOf(book, [line]);
    if (book.size !== place + 1) break;
    const memory = book.memory();
    if (!memory) continue;
    memories += 1;
    const rest = resultOf(Book.from(structuredClone(memory)), lines.slice(place + 1));
    if (rest !== whole) different.push(place + 1);
  }
  return { memories, different };
}

const books = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(books.map(compared)));
