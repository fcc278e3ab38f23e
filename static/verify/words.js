// What a verdict says in words: a title, what was shown, facts to look at, and what was not shown.

import { counted } from "./numbers.js";
import { change, signersOf, unwitnessed, whose, witnessed, witnessesOf } from "./signers.js";

const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short" });
const WORDS = { book: wordsOnBook, receipt: wordsOnReceipt, checkpoints: wordsOnCheckpoints };
const CHAINED = "Every line follows from the one before, none is missing, and both sides are the sums of the entries.";
const UNSIGNED = "No checkpoint was given: this does not show that everybody is shown the same ledger.";
const REMEDIES = {
  UNKNOWN_KEY:
    "Paste the log’s key: it stands in the first line of the ledger and on the organisation’s page; " +
    "best is a copy that you kept.",
  UNWITNESSED: "Witnesses sign after the log does: fetch it anew, or ask them why they did not.",
  STALE: "Fetch it anew. If it stays so, somebody keeps from you what came since.",
};
const SAVE_BOTH = "Save both notes, the one that you verified before and this: they cannot be of one ledger.";
const TITLES = {
  FORK: "two ledgers were signed as one",
  STALE: "this is older than what you verified before",
  UNWITNESSED: "too few of your witnesses signed",
};

/** The words on what `judge` returned: `{title, sentences, facts, limits}`, facts as `{name, value, isHash}`. */
export function wordsOn(judged) {
  const { verdict } = judged;
  const words = WORDS[judged.kind](verdict, judged);
  return { facts: [], limits: [], ...words, title: `${verdict.verdict}: ${words.title}` };
}

function entries(count) {
  return `${counted(count)} ${count === 1 ? "entry" : "entries"}`;
}

/** What an earlier visit of this browser has verified. */
export function seenBefore({ size, verifiedAt }) {
  return `The first ${entries(size)} were verified on ${MOMENT.format(verifiedAt)} in this browser`;
}

function wordsOnBook(verdict, { keyIsGiven, since }) {
  const time = `Checked by this browser in ${verdict.elapsed_seconds.toFixed(1)} s.`;
  if (verdict.verdict !== "VALID") {
    return { title: titleOnBook(verdict, keyIsGiven), sentences: contradicted(verdict), limits: [time] };
  }
  const title = `${entries(verdict.entries)} verified`;
  if (!verdict.checkpoint) return { title, sentences: [CHAINED], limits: [UNSIGNED, time] };
  const { checkpoint } = verdict;
  return {
    title,
    sentences: [
      CHAINED,
      signedOf(verdict),
      whose(verdict, keyIsGiven),
      ...verdict.rotations.map(change),
      ...witnessed(checkpoint),
      ...goingOn(verdict, since),
    ],
    facts: [{ name: "The log’s key", value: checkpoint.key, isHash: true }, ...witnessesOf(checkpoint)],
    limits: [...unwitnessed(checkpoint), time],
  };
}

function titleOnBook({ verdict, first_bad_sequence: sequence }, keyIsGiven) {
  if (verdict === "INCOMPLETE") return "entries are missing";
  if (verdict === "UNKNOWN_KEY") return strange("the checkpoint", keyIsGiven);
  if (verdict === "MALFORMED" && sequence === null) return "a statement about the book cannot be read";
  if (verdict === "MALFORMED") return `line ${counted(sequence + 1)} is not a ledger line`;
  if (TITLES[verdict]) return TITLES[verdict];
  return sequence === null ? "the entries are not what was stated" : `entry ${counted(sequence)} does not verify`;
}

function signedOf({ entries: count, checkpoint: { size } }) {
  const since = count - size;
  if (!since) return `All ${entries(size)} were signed; none came since.`;
  const rest = `${counted(since)} came since and ${since === 1 ? "is" : "are"} not signed yet`;
  return `The first ${entries(size)} were signed; ${rest}.`;
}

/** What was verified before: on the visit that this one went on from, or otherwise. */
function goingOn({ entries: count, remembered }, since) {
  if (since) {
    const more = count - since.size;
    return [`${seenBefore(since)}; ${more ? `${counted(more)} more now` : "nothing came since"}.`];
  }
  return remembered ? [`It goes on from the ${entries(remembered.size)} that you verified before.`] : [];
}

/** What is wrong; where two notes contradict each other, what to do with them. */
function contradicted(verdict) {
  return verdict.verdict === "FORK" ? [...wrong(verdict), SAVE_BOTH] : wrong(verdict);
}

function wordsOnReceipt(verdict, { keyIsGiven }) {
  if (verdict.verdict !== "VALID") {
    return { title: titleOnReceipt(verdict, keyIsGiven), sentences: contradicted(verdict) };
  }
  const { entry, details, checkpoint } = verdict;
  return {
    title: `entry ${counted(entry.sequence)} was signed`,
    sentences: [
      `It is one of the ${entries(checkpoint.size)} that the key you gave has signed, word for word.`,
      ...(details ? ["Its line commits to the details below: who has the private proof can show them, nobody else."] : []),
      ...witnessed(checkpoint),
    ],
    facts: [...factsOf(entry, checkpoint), ...openedIn(details), ...witnessesOf(checkpoint)],
    limits: [...unwitnessed(checkpoint), "It does not show what the other entries say: verify the whole ledger for that."],
  };
}

function openedIn(details) {
  return (details ?? []).map(({ field, value }) => ({ name: `Opened: ${field}`, value }));
}

function titleOnReceipt({ verdict, first_bad_sequence: sequence }, keyIsGiven) {
  if (verdict === "UNKNOWN_KEY") return strange("this receipt", keyIsGiven);
  if (verdict === "MALFORMED" && sequence === null) return "this is no receipt";
  if (verdict === "MALFORMED") return "what it proves is not a ledger line";
  if (TITLES[verdict]) return TITLES[verdict];
  return sequence === null ? "a signature is wrong" : `entry ${counted(sequence)} does not verify`;
}

function factsOf(entry, { origin }) {
  const facts = {
    Log: origin,
    Kind: entry.operation.toLowerCase().replaceAll("_", " "),
    Amount: `${counted(entry.amount)} ${entry.currency}, in its smallest unit`,
    Debit: entry.debit,
    Credit: entry.credit,
    Recorded: entry.recorded_at.replace("T", " ").replace("Z", " UTC"),
  };
  return Object.entries(facts).map(([name, value]) => ({ name, value }));
}

function wordsOnCheckpoints(verdict, { keyIsGiven }) {
  const { checkpoints } = verdict;
  const words = verdict.verdict === "VALID" ? agreement(checkpoints) : disagreement(verdict, keyIsGiven);
  const facts = checkpoints.map(({ size, root }) => ({ name: `${entries(size)}, root`, value: root, isHash: true }));
  return { ...words, facts };
}

function agreement([one, other]) {
  if (other) {
    const [weaker] = [one, other].sort((left, right) => signersOf(left).length - signersOf(right).length);
    const relation = one.size === other.size ? "they say the same" : "the smaller is the beginning of the larger";
    const sentence = `The key that you gave signed both, and ${relation}.`;
    return {
      title: "both checkpoints speak of one ledger",
      sentences: [sentence, ...witnessed(weaker)],
      limits: unwitnessed(weaker),
    };
  }
  const need = "It does not show what the entries are: add the exported ledger, or another checkpoint to compare.";
  return {
    title: "the key that you gave signed this checkpoint",
    sentences: [`It speaks of ${entries(one.size)} of ${one.origin}.`, ...witnessed(one)],
    limits: [...unwitnessed(one), need],
  };
}

function disagreement(verdict, keyIsGiven) {
  const titles = {
    ...TITLES,
    UNKNOWN_KEY: strange("this checkpoint", keyIsGiven),
    INCOMPLETE: "entries are missing",
    MALFORMED: "this is no checkpoint",
    TAMPERED: "this is not what was signed",
  };
  const proof = "Save both: signed with one key, they prove it to everybody who knows that key.";
  const sentences = verdict.verdict === "FORK" ? [...wrong(verdict), proof] : wrong(verdict);
  return { title: titles[verdict.verdict], sentences };
}

function strange(what, keyIsGiven) {
  return keyIsGiven ? `the key that you gave did not sign ${what}` : `without the log’s key, ${what} shows nothing`;
}

function wrong({ verdict, reason }) {
  const sentence = `${reason[0].toUpperCase()}${reason.slice(1)}.`;
  return REMEDIES[verdict] ? [sentence, REMEDIES[verdict]] : [sentence];
}
