import { type Credential, Secret } from "../../secrets/secret.ts";
import { type Field, setFields } from "../field.ts";
import { isJsonObject } from "../json.ts";
import { renewValue } from "../renew.ts";
import { cleanText, findLogin, readText } from "./read-text.ts";
import type { Part, Parts, TextForm } from "./text-form.ts";

export interface TextMerge {
  readonly form: TextForm;
  /** What is published now. */
  readonly before: string;
  /** What Keyturn would publish if nothing had been published before. */
  readonly fresh: string;
  readonly credential: Credential;
  /** `before` may name one of them. */
  readonly accounts: readonly string[];
  /** Whether Keyturn may change this part of `before`, and add it. A part that a person has changed or removed stays so. */
  readonly isOurs: (name: string) => boolean;
}

export interface MergedText {
  readonly text: string;
  /** Names of the parts that a person has changed or removed. */
  readonly kept: readonly string[];
  /** Names of parts that may still contain the superseded credential. */
  readonly stale: readonly string[];
}

/**
 * The text with the new credential in place of the old one. Parameters that only a person can have written stay; the address follows the
 * configuration. Undefined if the text before is not in this form or has no credential of the target.
 */
export function mergeText(merge: TextMerge): MergedText | undefined {
  const { form, credential, accounts, isOurs } = merge;
  const before = cleanText(merge.before);
  const old = readText(form, before, accounts);
  const parts = form.read(before) ?? [];
  const ours = (form.read(merge.fresh) ?? []).filter(({ name }) => !isLogin(name));
  if (!old || !("password" in old)) return undefined;
  const kept = ours.filter((part) => !isOurs(part.name) && !isSame(part, parts, form));
  const toSet = ours.filter((part) => !kept.includes(part));
  const names = new Set(ours.map(({ name }) => name));
  const others = parts.filter(({ name }) => !names.has(name) && !isLogin(name));
  const superseded = { account: old.account, secret: new Secret(old.password) };
  const renewed = renewOthers(others, superseded, credential);
  const changes = [
    ...changeLogin(parts, superseded, credential),
    ...toSet.flatMap((part) => changePart(part, parts, form)),
    ...renewed.changes,
  ];
  const missing = toSet.filter(({ name }) => parts.every((one) => one.name !== name));
  const text = missing.reduce(
    (changed, { whole }) => (whole === undefined ? changed : form.add(changed, whole)),
    setFields(before, changes),
  );
  return { text, kept: kept.map(({ name }) => name), stale: renewed.stale };
}

type Change = readonly [Field, string];

function isLogin(name: string): boolean {
  return name === "username" || name === "password";
}

function changeLogin(parts: Parts, old: Credential, next: Credential): Change[] {
  const { username, password } = findLogin(parts);
  return [
    ...(username && old.account !== next.account ? [[username, next.account] as const] : []),
    ...(password ? [[password, next.secret.reveal()] as const] : []),
  ];
}

/** A part that is repeated or uncertain stays as it is. */
function changePart(part: Part, parts: Parts, form: TextForm): Change[] {
  const [only, ...others] = parts.filter(({ name }) => name === part.name);
  if (!only?.field || !part.field || others.length > 0) return [];
  return isSame(part, parts, form) ? [] : [[only.field, part.field.value]];
}

function isSame({ name, field }: Part, parts: Parts, form: TextForm): boolean {
  const [only, ...others] = parts.filter((one) => one.name === name);
  if (!only?.field || !field || others.length > 0) return false;
  if (name !== "host") return only.field.value === field.value;
  return toPlainHost(only.field.value, form) === toPlainHost(field.value, form);
}

/** People write the same address with or without the protocol and the usual port. */
function toPlainHost(host: string, { defaultPort }: TextForm): string {
  return host
    .toLowerCase()
    .replace(/^tcp:/, "")
    .replaceAll(new RegExp(`[:,]${defaultPort}(?=,|$)`, "g"), "");
}

function renewOthers(others: Parts, old: Credential, next: Credential) {
  const values = others.flatMap(({ name, field }) => (field ? [[name, field.value]] : []));
  const { value, stale } = renewValue(Object.fromEntries(values), old, next);
  const after = isJsonObject(value) ? value : {};
  const changes = others.flatMap(({ name, field }): Change[] => {
    const renewed = after[name];
    const isNew = field && typeof renewed === "string" && renewed !== field.value;
    return isNew ? [[field, renewed]] : [];
  });
  return { changes, stale };
}
