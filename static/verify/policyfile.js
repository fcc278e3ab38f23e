// What a person writes about whose word they take: a policy file (C2SP tlog-policy), or keys of logs, one a line.

import { Malformed } from "./line.js";
import { NOBODY, Policy } from "./policy.js";
import { TYPE_LOG, TYPE_WITNESS, orNull, readKey } from "./vkey.js";

const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f]/;
const COUNT = /^[1-9][0-9]{0,8}$/;
const FORMS = {
  log: "log <vkey> [<url>]",
  witness: "witness <name> <vkey> [<url>]",
  group: "group <name> all|any|<number> <name>...",
  quorum: "quorum <name>|none",
};

/** Read a policy file; what is wrong in it is `Malformed`, and its line is named. */
export function readPolicy(text) {
  const draft = new Draft();
  const lines = linesOf(text);
  readLines(lines, (words) => draft.take(words));
  if (draft.quorum === null) {
    const hint = "`quorum none` asks for no witness";
    throw new Malformed(`line ${lines.length}: the policy ends without a quorum (${hint})`);
  }
  return new Policy(draft);
}

/** Read what is in a field: what an order to `judge` says of it, as `policy` or as `keys`. */
export function trustIn(text) {
  const lines = linesOf(text);
  if (lines.some((line) => Object.hasOwn(FORMS, wordsOf(line)[0] ?? ""))) {
    readPolicy(text);
    return { policy: text };
  }
  const keys = [];
  readLines(lines, (words) => {
    if (words.length > 1) throw new Malformed("a key has no space in it, and a policy has no such line");
    const [vkey] = words;
    checkLogKey(vkey);
    if (keys.includes(vkey)) throw new Malformed("this key stands on an earlier line already");
    keys.push(vkey);
  });
  return { keys };
}

function checkLogKey(vkey) {
  const hint = "copy the whole of it, from its name to its last character";
  const key = orNull(() => readKey(vkey));
  if (key === null) throw new Malformed(`this is no log’s key, or not all of one: ${hint}`);
  if (key.type !== TYPE_LOG) throw new Malformed("this is the key of a witness: name it in a policy file");
}

function linesOf(text) {
  return text.replace(/\n$/, "").split("\n");
}

function wordsOf(line) {
  return line.split(/[ \t]+/).filter(Boolean);
}

/** Give the words of each line to `take`, but of empty lines and comments. */
function readLines(lines, take) {
  lines.forEach((line, place) => {
    try {
      if (CONTROLS.test(line)) throw new Malformed("a control character; lines end with LF alone");
      const words = wordsOf(line);
      if (words.length && !words[0].startsWith("#")) take(words);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      throw new Malformed(`line ${place + 1}: ${error.message}`);
    }
  });
}

function refuseForm(kind) {
  const forms = Object.hasOwn(FORMS, kind) ? [FORMS[kind]] : Object.values(FORMS);
  throw new Malformed(`expected ${forms.join(" or ")}`);
}

/** What the lines of a policy file have said so far. */
class Draft {
  logs = [];
  witnesses = new Map();
  groups = [];
  quorum = null;
  #names = new Set([NOBODY]);
  #grouped = new Set([NOBODY]);

  take([kind, ...rest]) {
    const isLog = kind === "log" && [1, 2].includes(rest.length);
    if (isLog) this.logs.push(this.#newKey(rest[0], TYPE_LOG));
    else if (kind === "witness" && [2, 3].includes(rest.length)) this.#addWitness(...rest);
    else if (kind === "group" && rest.length > 2) this.#addGroup(...rest);
    else if (kind === "quorum" && rest.length === 1) this.#setQuorum(rest[0]);
    else refuseForm(kind);
  }

  #newKey(vkey, type) {
    const key = readKey(vkey, type);
    const others = [...this.logs, ...this.witnesses.values()].map(({ publicKey }) => String(publicKey));
    if (others.includes(String(key.publicKey))) throw new Malformed("this key stands on an earlier line already");
    return key;
  }

  #newName(name) {
    if (this.#names.has(name)) throw new Malformed(`the name ${name} is taken`);
    this.#names.add(name);
    return name;
  }

  #addWitness(name, vkey) {
    const key = this.#newKey(vkey, TYPE_WITNESS);
    this.witnesses.set(this.#newName(name), key);
  }

  #addGroup(name, count, ...members) {
    members.forEach((member, place) => {
      this.#checkDefined(member);
      if (this.#grouped.has(member) || members.indexOf(member) < place) {
        throw new Malformed(`${member} cannot be a member here, or is one already`);
      }
    });
    const needed = { all: String(members.length), any: "1" }[count] ?? count;
    if (!COUNT.test(needed) || Number(needed) > members.length) {
      throw new Malformed(`expected all, any, or a number from 1 to ${members.length}`);
    }
    this.groups.push({ name: this.#newName(name), needed: Number(needed), members });
    for (const member of members) this.#grouped.add(member);
  }

  #setQuorum(name) {
    if (this.quorum !== null) throw new Malformed("the policy has a quorum already");
    this.#checkDefined(name);
    this.quorum = name;
  }

  #checkDefined(name) {
    if (!this.#names.has(name)) throw new Malformed(`${name} is not defined on an earlier line`);
  }
}
