// What a verification panel shows: the same for the ledger page and for files.

import { counted } from "./numbers.js";
import { seenBefore, wordsOn } from "./words.js";

const STATES = {
  VALID: { state: "good", icon: "seal" },
  INCOMPLETE: { state: "wait", icon: "eye" },
  UNKNOWN_KEY: { state: "wait", icon: "eye" },
  UNWITNESSED: { state: "wait", icon: "eye" },
  STALE: { state: "wait", icon: "clock" },
  TAMPERED: { state: "bad", icon: "broken" },
  FORK: { state: "bad", icon: "broken" },
  MALFORMED: { state: "bad", icon: "broken" },
};

/** The panel around one `[data-verify]` element. */
export class View {
  #more = [];

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
    const count = total ? `${counted(entries)} of ${counted(total)}` : counted(entries);
    this.#say(`${count} entries checked, ${(bytes / 1e6).toFixed(1)} MB read.`);
  }

  /** Say what an earlier visit has verified. */
  greet(visit) {
    this.#say(`${seenBefore(visit)}.`, "This verifies what came since, and that the ledger goes on from there.");
  }

  /** Show what `judge` returned. */
  ended(judged) {
    const { verdict, evidence } = judged;
    const { state, icon } = STATES[verdict.verdict];
    const { title, sentences, facts, limits } = wordsOn(judged);
    this.#become(state, icon);
    this.progress.hidden = true;
    this.panel.dataset.verdict = verdict.verdict;
    this.title.textContent = title;
    this.#say(...sentences);
    if (facts.length) this.#add(listOf(facts));
    if (limits.length) this.#add(elementOf("p", "meta", limits.join(" ")));
    if (evidence) this.#add(linkTo(evidence));
    if (verdict.verdict === "TAMPERED") this.#mark(verdict.first_bad_sequence);
  }

  failed(message) {
    this.#become("wait", "eye");
    this.progress.hidden = true;
    this.title.textContent = "Not verified: no verdict was reached";
    this.#say(message);
  }

  #become(state, icon) {
    for (const name of ["running", "good", "wait", "bad"]) {
      this.panel.classList.toggle(`verify--${name}`, name === state);
    }
    this.panel.querySelector(":scope > .icon use")?.setAttribute("href", `#${icon}`);
    delete this.panel.dataset.verdict;
    for (const element of this.#more.splice(0)) element.remove();
  }

  #say(...sentences) {
    this.text.textContent = sentences.join(" ");
  }

  #add(element) {
    this.text.parentElement.append(element);
    this.#more.push(element);
  }

  /** Mark the broken entry if it is on the page, and lead to it wherever it is. */
  #mark(sequence) {
    if (sequence === null) return;
    document.querySelector(`tr[data-sequence="${sequence}"]`)?.classList.add("is-broken");
    const template = this.panel.dataset.entryUrl;
    if (!template) return;
    const link = document.createElement("a");
    link.href = template.replace(/\d+(\/?)$/, `${sequence}$1`);
    link.textContent = `Look at entry ${counted(sequence)}.`;
    this.text.append(" ", link);
  }
}

function listOf(facts) {
  const list = elementOf("dl", "facts");
  for (const { name, value, isHash } of facts) {
    const description = elementOf("dd", "");
    description.append(isHash ? elementOf("code", "hash hash--full", value) : value);
    list.append(elementOf("dt", "", name), description);
  }
  return list;
}

/** A link that saves both notes as one file, without any server. */
function linkTo(evidence) {
  const link = elementOf("a", "button button--quiet", "Save the evidence");
  link.href = URL.createObjectURL(new Blob([evidence], { type: "text/plain" }));
  link.download = "fork-evidence.txt";
  const paragraph = elementOf("p", "");
  paragraph.append(link);
  return paragraph;
}

function elementOf(name, className, text = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}
