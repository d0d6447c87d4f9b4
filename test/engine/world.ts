import { createHash, randomBytes } from "node:crypto";
import { makeMemoryConsumer } from "../../shared/consumers/memory-consumer.ts";
import type { KeyturnEvent } from "../../shared/core/events.ts";
import { parsePayload } from "../../shared/core/payload/payload.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { makeAdminRefusals } from "../../shared/engine/calls/admin-refusals.ts";
import { makeAdminSecrets } from "../../shared/engine/calls/admin-secrets.ts";
import type { Ports } from "../../shared/engine/ports.ts";
import { makeMemoryNotifier } from "../../shared/notifiers/memory-notifier.ts";
import {
  hasPassword,
  makeMemoryRotator,
  makeMemorySystem,
  makeOverlappingRotator,
  type MemorySystem,
} from "../../shared/rotators/memory.ts";
import type { Rotator } from "../../shared/rotators/rotator.ts";
import { makeMemoryJournal } from "../../shared/stores/memory/memory-journal.ts";
import { makeMemoryVault } from "../../shared/vaults/memory-vault.ts";
import type { Gate } from "./gate.ts";
import type { Kind } from "./kinds.ts";
import { type LogIn, makeSeveralRotator, type Node, type Trouble } from "./several-rotator.ts";
import { makeMinting, makeTarget, settleMs } from "./target.ts";

export type { Gate } from "./gate.ts";
export * from "./kinds.ts";
export { settleMs } from "./target.ts";

/** Returns the error of an effect while a fault lasts. */
export type Fault = (effect: string) => Error | undefined;

const start = Date.parse("2026-01-01T00:00:00.000Z");

export type World = Awaited<ReturnType<typeof makeWorld>>;

/** A target with its system, vault and journal, all in memory, with a clock that only tests move. */
export async function makeWorld(kind: Kind, seed = "seed") {
  let time = start;
  let ids = 0;
  let draws = 0;
  const clock = () => new Date(time);
  const system = makeMemorySystem(() => time);
  const systems = kind.several ? [system, makeMemorySystem(() => time)] : [system];
  const vault = makeMemoryVault({ name: "main", now: clock });
  const journal = makeMemoryJournal({ now: clock });
  const notifier = makeMemoryNotifier();
  const consumer = makeMemoryConsumer("app");
  const events: KeyturnEvent[] = [];
  const applied = new Set<string>();
  const refusals = makeAdminRefusals();
  const faults: { now: Fault } = { now: () => undefined };
  const troubles = new Map<number, Trouble>();
  const logIns: LogIn[] = [];
  /** The passwords before the last change. */
  const lastCommitted = new Map<MemorySystem, ReturnType<typeof copyOf>>();
  const target = makeTarget(kind);
  await seedWorld();

  async function seedWorld() {
    const never = new AbortController().signal;
    const store = (name: string, account: string, password: string) =>
      vault.write(
        name,
        {
          value: new Secret(JSON.stringify({ username: account, password })),
          contentType: "application/json",
          tags: {},
        },
        never,
      );
    for (const { passwords, admins } of systems) {
      for (const account of kind.accounts) {
        passwords.set(account, new Secret(`first-secret-of-${account}`));
      }
      passwords.set("admin", new Secret("secret-of-admin"));
      admins.add("admin");
    }
    await store("app-admin", "admin", "secret-of-admin");
    const [first = "", second] = kind.accounts;
    await store("app-db", first, `first-secret-of-${first}`);
    if (second) await store("app-second", second, `first-secret-of-${second}`);
  }

  /**
   * Creates the ports of one worker. Its calls go through its own gate, and then meet the faults of the world. `aheadMs`: how far the
   * clock of its machine is ahead, which matters until the journal has answered it.
   */
  function ports(through: Gate, aheadMs = 0): Ports {
    let hasHeard = false;
    const heard = async <Answer>(answer: Promise<Answer>): Promise<Answer> => {
      const is = await answer;
      hasHeard = true;
      return is;
    };
    const gate: Gate = (effect, call) =>
      through(effect, () => {
        const error = faults.now(effect);
        return error ? Promise.reject(error) : call();
      });
    const capabilities = {
      selfService: true,
      admin: true,
      identity: true,
      propagation: kind.propagation ?? 0,
    };
    const make = kind.overlap ? makeOverlappingRotator : makeMemoryRotator;
    const nodes: readonly Node[] = systems.map((one, index) => ({
      ...{ name: `server ${index}`, system: one },
      trouble: () => troubles.get(index),
      heard: (logIn: Pick<LogIn, "account" | "accepted">) =>
        logIns.push({ server: `server ${index}`, at: new Date(time).toISOString(), ...logIn }),
      rotator: make(one, capabilities),
    }));
    const [only, other] = nodes;
    const setting = only && !other ? only.rotator : makeSeveralRotator(nodes, gate);
    const rotator = kind.mints
      ? makeMinting(kind.mints, system, capabilities, kind.lifetime)
      : setting;
    const apply = kind.people ? undefined : rotator.apply?.bind(rotator);
    const mint = rotator.mint?.bind(rotator);
    const settle = rotator.settle?.bind(rotator);
    return {
      journal: {
        ...journal,
        now: () => new Date(time + (hasHeard ? 0 : aheadMs)),
        commit: (change) => heard(gate("journal.commit", () => journal.commit(change))),
        read: (id) => heard(gate("journal.read", () => journal.read(id))),
        ledger: {
          ...journal.ledger,
          log: (entries) => gate("ledger.log", () => journal.ledger.log(entries)),
          add: (head, entries) => gate("ledger.add", () => journal.ledger.add(head, entries)),
          clear: (segment) => gate("ledger.clear", () => journal.ledger.clear(segment)),
        },
        putFreeze: (...freeze) => gate("journal.freeze", () => journal.putFreeze(...freeze)),
        keepRequest: (request) => gate("journal.keep", () => journal.keepRequest(request)),
      },
      vault: () => ({
        readCurrent: (name, signal) => gate("vault.read", () => vault.readCurrent(name, signal)),
        readVersion: (ref, signal) => gate("vault.read", () => vault.readVersion(ref, signal)),
        write: (name, content, signal) =>
          gate("vault.write", () => vault.write(name, content, signal)),
        listVersions: (name, signal) => gate("vault.list", () => vault.listVersions(name, signal)),
        disable: (ref, signal) => gate("vault.disable", () => vault.disable(ref, signal)),
      }),
      rotator: () => ({
        ...withoutApply(rotator),
        ...(apply && {
          apply: (change, signal) =>
            gate("target.apply", async () => {
              for (const one of systems) lastCommitted.set(one, copyOf(one));
              const done = await apply({ ...change, options: {} }, signal);
              applied.add(done.credential.secret.reveal());
              return done;
            }),
        }),
        ...(mint && {
          mint: (call, signal) =>
            gate("target.mint", async () => {
              const done = await mint({ ...call, options: {} }, signal);
              applied.add(done.credential.secret.reveal());
              return done;
            }),
        }),
        ...(settle && {
          settle: (call, signal) =>
            gate("target.settle", () => settle({ ...call, options: {} }, signal)),
        }),
        ...(rotator.findOwner && {
          findOwner: (call, signal) =>
            gate("target.owner", async () => rotator.findOwner?.({ ...call, options: {} }, signal)),
        }),
        ...(rotator.findEnd && {
          findEnd: (call, signal) =>
            gate("target.end", async () => rotator.findEnd?.({ ...call, options: {} }, signal)),
        }),
        ...(rotator.findLifetime && { findLifetime: () => kind.lifetime ?? 0 }),
        ...(rotator.findSettleTime && { findSettleTime: () => settleMs }),
        examine: (examine, signal) =>
          gate(
            "target.examine",
            async () =>
              (await rotator.examine?.({ ...examine, options: {} }, signal)) ?? "rejected",
          ),
        verify: (check, signal) =>
          gate("target.verify", () => rotator.verify({ ...check, options: {} }, signal)),
        hasSessions: (look, signal) =>
          gate(
            "target.look",
            async () => (await rotator.hasSessions?.({ ...look, options: {} }, signal)) ?? true,
          ),
        retire: (retire, signal) =>
          gate("target.retire", async () => rotator.retire?.({ ...retire, options: {} }, signal)),
        discard: (discard, signal) =>
          gate("target.discard", async () =>
            rotator.discard?.({ ...discard, options: {} }, signal),
          ),
        ...(rotator.setBack && {
          setBack: (call, signal) =>
            gate(
              "target.set-back",
              async () => (await rotator.setBack?.({ ...call, options: {} }, signal)) ?? [],
            ),
        }),
      }),
      getToken: () => Promise.resolve(new Secret("token-of-the-identity")),
      consumer: () => ({
        name: consumer.name,
        refresh: (refresh, signal) =>
          gate("consumer.refresh", () => consumer.refresh(refresh, signal)),
      }),
      notifiers: [
        {
          name: notifier.name,
          send: (notifications, signal) =>
            gate("notifier.send", () => notifier.send(notifications, signal)),
        },
      ],
      targetsUsing: () => [],
      followers: () => [],
      adminRefusals: refusals,
      adminSecrets: makeAdminSecrets(),
      emit: (event) => events.push(event),
      newId: () => `01TEST${String(++ids).padStart(20, "0")}`,
      randomBytes: (count) => draw(count),
      pause: () => Promise.resolve(),
      deadline: (milliseconds) => deadlineAt(time + milliseconds),
    };
  }

  /** Returns the same bytes in every run, so that a failed run can be repeated. */
  function draw(count: number): Uint8Array {
    const bytes = createHash("sha512").update(`${seed}/${draws++}`).digest();
    return count <= bytes.length ? bytes.subarray(0, count) : randomBytes(count);
  }

  function deadlineAt(moment: number): AbortSignal {
    const signal = new AbortController().signal;
    Object.defineProperty(signal, "aborted", { get: () => time > moment });
    return signal;
  }

  return {
    kind,
    target,
    system,
    /** The systems of a target of several servers; `system` is the first of them. */
    systems,
    vault,
    journal,
    notifier,
    consumer,
    events,
    /** Every different secret that the target has received. */
    applied,
    ports,
    /** The log-ins of accounts at the servers of a target of several servers, and the refused ones of its admin. */
    logIns,
    /** Sets the fault that effects meet until it is replaced. */
    setFault(fault: Fault): void {
      faults.now = fault;
    },
    /** Sets what is wrong with the server of this index, until it is set again. */
    setTrouble(server: number, trouble: Trouble | undefined): void {
      if (trouble) troubles.set(server, trouble);
      else troubles.delete(server);
    },
    /** Restores the servers to their state before the last change. */
    loseLastCommit(): void {
      for (const [one, { passwords, seconds }] of lastCommitted) {
        for (const [account, secret] of passwords) one.passwords.set(account, secret);
        one.seconds.clear();
        for (const [account, secret] of seconds) one.seconds.set(account, secret);
      }
    },
    now: () => new Date(time).toISOString(),
    advance: (milliseconds: number) => {
      time += milliseconds;
    },
    advanceTo: (instant: string) => {
      time = Math.max(time, Date.parse(instant));
    },
    /** Whether the published secret logs in now: at all servers, or at these. */
    publishedWorks(at: readonly MemorySystem[] = systems): boolean {
      const newest = vault.versions("app-db").at(-1);
      if (!newest?.enabled) return false;
      const credential = parsePayload(newest.value, kind.accounts);
      if (credential === undefined) return false;
      return at.every((one) => hasPassword(one, credential.account, credential.secret));
    },
    /** Whether any readable version, in any secret, logs in to the account, on every server. */
    isKept(account: string): boolean {
      const stored = vault
        .names()
        .flatMap((name) => vault.versions(name))
        .filter((version) => version.enabled)
        .map((version) => parsePayload(version.value, []))
        .filter((found) => found?.account === account);
      return systems.every((one) =>
        stored.some((found) => found && hasPassword(one, account, found.secret)),
      );
    },
  };
}

const copyOf = ({ passwords, seconds }: MemorySystem) => ({
  passwords: new Map(passwords),
  seconds: new Map(seconds),
});

function withoutApply<Options>(rotator: Rotator<Options>): Rotator<Options> {
  const rest = { ...rotator };
  delete rest.apply;
  return rest;
}

/** Lets every call through. */
export const open: Gate = (_effect, call) => call();
