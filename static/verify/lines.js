// Lines out of bytes, as these come: `take` gets each line without its LF, and whether it had one.

import { joined } from "./bytes.js";
import { LINE_BYTES_MAX } from "./line.js";

const LF = 10;
const PIECE_BYTES_MAX = LINE_BYTES_MAX + 2;

export class Lines {
  #rest = new Uint8Array(0);
  #take;

  constructor(take) {
    this.#take = take;
  }

  /** Cut a chunk at each LF, and where a line does not end within its limit. */
  write(chunk) {
    const bytes = this.#rest.length ? joined(this.#rest, chunk) : chunk;
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(LF, start);
      const limit = start + PIECE_BYTES_MAX;
      const hasEnd = end !== -1 && end < limit;
      if (!hasEnd && bytes.length < limit) break;
      this.#take(bytes.subarray(start, hasEnd ? end : limit), hasEnd);
      start = hasEnd ? end + 1 : limit;
    }
    this.#rest = bytes.slice(start);
  }

  finish() {
    if (this.#rest.length) this.#take(this.#rest, false);
  }
}
