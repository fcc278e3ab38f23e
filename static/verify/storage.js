// What a page keeps between visits: the last good checkpoint of each log, in the storage of its site.

const PREFIX = "almoner-checkpoint:";

/** All notes that are kept, by the origins of their logs; none where the browser keeps nothing. */
export function rememberedNotes() {
  try {
    const kept = Object.entries(localStorage).filter(([name]) => name.startsWith(PREFIX));
    return new Map(kept.map(([name, note]) => [name.slice(PREFIX.length), note]));
  } catch {
    return new Map();
  }
}

/** Keep a note; whether the browser lets it be kept changes no verdict. */
export function rememberNote({ origin, note }) {
  try {
    localStorage.setItem(PREFIX + origin, note);
  } catch {
    // A private window, or storage that is full or forbidden: the next visit compares less.
  }
}
