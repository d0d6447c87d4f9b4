import type { Document } from "mongodb";
import type { Faults } from "../faults.ts";
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
  | "createUser"
  | "updateUser"
  | "usersInfo"
  | "aggregate";

/** The whole server, as its commands see it. */
export interface MongoServer {
  /** How it presents itself in its hello, beyond being a writable server. */
  presents: Document;
  readonly users: Users;
  readonly iterations: Readonly<Record<Mechanism, number>>;
  readonly faults: Faults<MongoEffect, MongoRefusal>;
  /** Connections that are open. */
  readonly sessions: Set<Session>;
  /** Every attempt to prove a password, in order. */
  readonly logins: { user: string; db: string; accepted: boolean }[];
}

/** One connection. Who is logged in stays so, whatever becomes of the password. */
export interface Session {
  readonly id: number;
  /** At most one user per authentication database. */
  readonly authenticated: Map<string, string>;
  conversation: PendingLogin | undefined;
}

export interface PendingLogin {
  readonly id: number;
  readonly user: string;
  readonly db: string;
  readonly skipEmptyExchange: boolean;
  readonly conversation: Conversation;
  proven: boolean;
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
