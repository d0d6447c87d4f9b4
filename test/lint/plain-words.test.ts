import { describe, expect, it } from "vitest";

interface PlainWord {
  readonly pattern: RegExp;
  readonly instead: string;
}

const list = new URL("../../scripts/lint/plain-words.js", import.meta.url).href;
const { plainWords } = (await import(list)) as { readonly plainWords: readonly PlainWord[] };

/** The phrases of this file are split by `|`, because the linter reads this file too. */
const join = (phrase: string) => phrase.replaceAll("|", "");

const suggestions = (text: string) =>
  plainWords.filter(({ pattern }) => pattern.test(text)).map(({ instead }) => instead);

describe("The list of plain words", () => {
  it.each([
    ["Keyturn tells| the operator", "notify"],
    ["the event told| everybody that it failed; it told| nobody", "notify"],
    ["to tell| servers apart", "distinguish"],
    ["Keyturn asks| the database which password is valid", "query"],
    ["the worker asked| Azure", "query"],
    ["a server that does not ask| for a password", "request"],
    ["the policy is asked| again", "request"],
    ["a freeze holds| back every rotation", "delay"],
    ["the rotation was held| back", "delay"],
    ["another worker took| over the target", "adopt"],
    ["it takes| it over", "adopt"],
    ["the policies stand| in keyturn.yaml", "is defined in"],
    ["the worker looks| at the target", "check"],
    ["the next| look is later", "check"],
    ["the host gave| up", "stop"],
    ["a message that is given| up", "stop"],
    ["the account can|'t log in", "cannot"],
    ["it doesn|’t exist", "cannot"],
    ["it won|'t start", "cannot"],
  ])("replaces %s", (phrase, instead) => {
    expect(suggestions(join(phrase)).join()).toContain(instead);
  });

  it.each([
    "the event held-back, the alarm gave-up and the kind took-over",
    "a header takes precedence over the query",
    "two passwords look alike",
    "a word that looks like JSON",
    "a DNS look-up",
    "the account cannot log in",
    "Keyturn asked",
    "a told name and the field toldTo",
  ])("accepts %s", (text) => {
    expect(suggestions(text)).toEqual([]);
  });
});
