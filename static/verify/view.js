// What a verification panel shows: the same for the ledger page and for a file.

const STATES = {
  VALID: { state: "good", icon: "seal" },
  INCOMPLETE: { state: "wait", icon: "eye" },
  TAMPERED: { state: "bad", icon: "broken" },
  MALFORMED: { state: "bad", icon: "broken" },
};
const NUMBER = new Intl.NumberFormat("en");
const PROVEN = "Every line follows from the one before, none is missing, and both sides are the sums of the entries.";
const NOT_PROVEN = "Whether everybody is shown this same chain needs signed checkpoints to tell.";

/** The panel around one `[data-verify]` element. */
export class View {
  constructor(panel) {
    this.panel = panel;
    this.title = panel.querySelector("[data-verify-title]");
    this.text = panel.querySelector("[data-verify-text]");
    this.progress = panel.querySelector("[data-verify-progress]");
  }

  running({ entries = 0, total = null, bytes = 0 } = {}) {
    this.#become("running", "clock");
    this.progress.hidden = false;
    const share = total ? Math.min(100, Math.floor((entries / total) * 100)) : null;
    if (share === null) this.progress.removeAttribute("value");
    else this.progress.value = share;
    // The live region says that it runs and how it ended; the numbers between are for the eye.
    if (this.title.textContent !== "Verifying") this.title.textContent = "Verifying";
    const count = total ? `${NUMBER.format(entries)} of ${NUMBER.format(total)}` : NUMBER.format(entries);
    this.#say(`${count} entries agree, ${(bytes / 1e6).toFixed(1)} MB read.`);
  }

  ended(verdict) {
    const { state, icon } = STATES[verdict.verdict];
    this.#become(state, icon);
    this.progress.hidden = true;
    this.panel.dataset.verdict = verdict.verdict;
    this.title.textContent = titleOf(verdict);
    this.#say(...sentencesOf(verdict));
    if (verdict.verdict === "TAMPERED") this.#mark(verdict.first_bad_sequence);
  }

  failed(message) {
    this.#become("wait", "eye");
    this.progress.hidden = true;
    this.title.textContent = "Not verified: no verdict was reached";
    this.#say(`The book could not be read to its end. ${message}`);
  }

  #become(state, icon) {
    for (const name of ["running", "good", "wait", "bad"]) {
      this.panel.classList.toggle(`verify--${name}`, name === state);
    }
    this.panel.querySelector(":scope > .icon use")?.setAttribute("href", `#${icon}`);
    delete this.panel.dataset.verdict;
  }

  #say(...sentences) {
    this.text.textContent = sentences.join(" ");
  }

  /** Mark the broken entry if it is on the page, and lead to it wherever it is. */
  #mark(sequence) {
    if (sequence === null) return;
    document.querySelector(`tr[data-sequence="${sequence}"]`)?.classList.add("is-broken");
    const template = this.panel.dataset.entryUrl;
    if (!template) return;
    const link = document.createElement("a");
    link.href = template.replace(/\d+(\/?)$/, `${sequence}$1`);
    link.textContent = `Look at entry ${NUMBER.format(sequence)}.`;
    this.text.append(" ", link);
  }
}

function titleOf({ verdict, entries, first_bad_sequence: sequence }) {
  if (verdict === "VALID") return `VALID: ${NUMBER.format(entries)} entries verified`;
  if (verdict === "INCOMPLETE") return "INCOMPLETE: entries are missing";
  if (verdict === "MALFORMED" && sequence === null) return "MALFORMED: a statement about the book cannot be read";
  if (verdict === "MALFORMED") return `MALFORMED: line ${NUMBER.format(sequence + 1)} is not a ledger line`;
  return sequence === null
    ? "TAMPERED: a balance does not agree"
    : `TAMPERED: entry ${NUMBER.format(sequence)} does not verify`;
}

function sentencesOf(verdict) {
  const time = `Checked by this browser in ${verdict.elapsed_seconds.toFixed(1)} s.`;
  if (verdict.verdict === "VALID") return [PROVEN, NOT_PROVEN, time];
  return [`${verdict.reason[0].toUpperCase()}${verdict.reason.slice(1)}.`, time];
}
