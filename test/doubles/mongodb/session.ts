import type { Document } from "mongodb";
import type { Faults } from "../../../local/faults.ts";
import type { MongoRefusal } from "./errors.ts";
import type { Conversation, Mechanism } from "./scram.ts";
import type { StoredUser, Users } from "./users.ts";

/** What faults can be armed on: taking a connection, proving a password, or any command by name. */
export type MongoEffect =
  | "connect"
  | "login"
  | "hello"
  | "ping"
  | "connectionStatus"
  | "whatsmyuri"
  | "createUser"
  | "updateUser"
  | "usersInfo"
  | "aggregate";

/** Parts of answers that emulations leave out. */
export type Lacking = "effectiveUsers" | "privileges" | "restrictions" | "mechanisms";

/** What a member of a replica set has written, and what a majority of the members has. Counters. */
export interface Writes {
  last: number;
  majority: number;
  /** Whether the other members are too slow for the write concern of a change. */
  isLagging: boolean;
}

/** The whole server, as its commands see it. */
export interface MongoServer {
  /** How it presents itself in its hello, beyond being a writable server. */
  presents: Document;
  readonly users: Users;
  readonly iterations: Readonly<Record<Mechanism, number>>;
  readonly faults: Faults<MongoEffect, MongoRefusal>;
  /** Mechanisms that are switched on. */
  readonly enabled: readonly Mechanism[];
  /** Whether it answers as Azure DocumentDB does. */
  readonly isDocumentDb: boolean;
  readonly writes: Writes;
  /** What it does not know, as emulations of a MongoDB do not. */
  readonly lacks: ReadonlySet<Lacking>;
  /** Connections that are open. */
  readonly sessions: Set<Session>;
  /** Every attempt to prove a password, in order. */
  readonly logins: { user: string; db: string; accepted: boolean }[];
}

/** One connection. Its log-in stays valid when the password changes. */
export interface Session {
  readonly id: number;
  /** Where the client is, and where the server took the connection. */
  readonly client: Endpoint;
  readonly server: Endpoint;
  /** At most one user per authentication database. */
  readonly authenticated: Map<string, string>;
  conversation: PendingLogin | undefined;
}

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface PendingLogin {
  readonly id: number;
  readonly user: string;
  readonly db: string;
  readonly skipEmptyExchange: boolean;
  readonly conversation: Conversation;
  proven: boolean;
}

export interface Command {
  /** Answered to every client, before any log-in. */
  readonly open: boolean;
  run(call: Call): Document | Promise<Document>;
}

export interface Call {
  readonly server: MongoServer;
  readonly session: Session;
  readonly command: Document;
  readonly database: string;
}

export function loggedIn({ server, session }: Call): StoredUser[] {
  return [...session.authenticated].flatMap(([db, user]) => server.users.find(user, db) ?? []);
}
