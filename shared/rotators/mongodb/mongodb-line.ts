import { setTimeout as wait } from "node:timers/promises";
import type { Document, MongoClient } from "mongodb";
import { hearSignal } from "../common/connection/heard-signal.ts";
import { findProblem, type Greeting, type Problem } from "./mongodb-topology.ts";

/** Milliseconds to wait for an orderly close, if the server does not answer it. */
export const goodbye = 500;

/** The connections of one client, closed when the signal fires or when no further member can help. */
export interface Line {
  giveUp(): void;
  listen(next: AbortSignal | undefined): void;
  /** The options of a command. */
  options(): { readonly signal?: AbortSignal };
  unlessLost<Result>(work: Promise<Result>): Promise<Result>;
  /** Why the members that have answered cannot be used; undefined if nothing is known. */
  problem(): Problem | undefined;
  /** Whether any member has answered. */
  isAnswered(): boolean;
  /** Every mongos that the driver knows, as `name:port`. */
  routers(): readonly string[];
  /** What the only member of a direct connection has said. */
  greeting(): Greeting | undefined;
  close(): Promise<void>;
}

interface Expected {
  readonly replicaSet: string | undefined;
  /** Number of members; undefined while only DNS knows them. */
  readonly members: number | undefined;
}

/** Closes the connection when the signal fires or no member can be reached; the driver itself would continue to try. */
export function watchLine(client: MongoClient, expected: Expected, signal: AbortSignal): Line {
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  let closing: Promise<void> | undefined;

  // An orderly close sends a message, and a silent server would make it wait.
  const leave = () => (closing ??= client.close().catch(() => undefined));
  const end = (why: Error) => {
    lost.reject(why);
    void leave();
  };
  const giveUp = () => {
    end(new Error("timed out"));
  };
  const heard = hearSignal(signal, giveUp);

  let members: readonly string[] = [];
  let isSharded = false;
  const answers = new Map<string, Greeting>();
  const unreachable = new Map<string, Error>();
  const findOurProblem = () => findProblem({ answers, replicaSet: expected.replicaSet });

  // Once one member has answered, others may be down: the driver finds the primary, or times out.
  function checkWhetherHopeless(): void {
    const all = expected.members ?? members.length;
    if (answers.size + unreachable.size < all) return;
    const [failure] = unreachable.values();
    if (findOurProblem()?.isFinal === true) end(new Error("no member of the replica set"));
    else if (answers.size === 0 && failure !== undefined) end(failure);
  }
  client.on("topologyDescriptionChanged", ({ newDescription }) => {
    members = [...newDescription.servers.keys()];
    isSharded = newDescription.type === "Sharded";
  });
  client.on("serverHeartbeatSucceeded", ({ connectionId, reply }) => {
    answers.set(connectionId, readGreeting(reply));
    unreachable.delete(connectionId);
    checkWhetherHopeless();
  });
  client.on("serverHeartbeatFailed", ({ connectionId, failure }) => {
    if (!answers.has(connectionId)) unreachable.set(connectionId, failure);
    checkWhetherHopeless();
  });

  return {
    giveUp,
    listen: (next) => {
      heard.listen(next);
    },
    options: () => {
      const current = heard.current();
      return current ? { signal: current } : {};
    },
    unlessLost: (work) => Promise.race([work, lost.promise]),
    problem: findOurProblem,
    isAnswered: () => answers.size > 0,
    routers: () => (isSharded ? members : []),
    greeting: () => answers.values().next().value,
    async close() {
      heard.listen(undefined);
      await Promise.race([leave(), wait(goodbye, undefined, { ref: false })]);
    },
  };
}

function readGreeting(reply: Document): Greeting {
  const setName: unknown = reply["setName"];
  return {
    isWritable: reply["isWritablePrimary"] === true || reply["ismaster"] === true,
    isStarting: reply["isreplicaset"] === true,
    ...(typeof setName === "string" && { setName }),
  };
}
