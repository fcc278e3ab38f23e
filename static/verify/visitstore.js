// Where visits are kept: IndexedDB of this site. A browser that keeps nothing verifies everything each time.

const NAME = "almoner-verify";
const VERSION = 1;
// Apart from each other: a page shows the visit, and only its worker needs the book.
const STORES = ["visits", "books"];

/** What was kept of an address: the visit alone, or with the book; null if nothing was. */
export function recall(address, stores = STORES) {
  return inStores(stores, "readonly", async (transaction) => {
    const [visit, book] = await Promise.all(stores.map((name) => done(transaction.objectStore(name).get(address))));
    return visit ? { ...visit, ...book } : null;
  });
}

export function recallVisit(address) {
  return recall(address, ["visits"]);
}

/** Keep a visit, as `Verification.visit` gives it, and when it was. */
export function keep(address, { origin, size, ...book }) {
  return inStores(STORES, "readwrite", (transaction) => {
    const [visits, books] = STORES.map((name) => transaction.objectStore(name));
    visits.put({ origin, size, verifiedAt: Date.now() }, address);
    books.put(book, address);
    // Not before all of it is written: the end of the worker would undo it.
    return new Promise((resolve, reject) => {
      transaction.addEventListener("complete", resolve);
      transaction.addEventListener("abort", () => reject(transaction.error));
    });
  });
}

async function inStores(stores, mode, use) {
  let database = null;
  try {
    const opening = indexedDB.open(NAME, VERSION);
    opening.onupgradeneeded = () => STORES.forEach((name) => opening.result.createObjectStore(name));
    database = await done(opening);
    return await use(database.transaction(stores, mode));
  } catch {
    return null; // withheld, full, or of another version
  } finally {
    database?.close();
  }
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}
