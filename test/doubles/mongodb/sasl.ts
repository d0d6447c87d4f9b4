import { BlockList, isIPv6 } from "node:net";
import { Binary, type Document } from "mongodb";
import { refused } from "./errors.ts";
import { converse, parseClientFirst } from "./scram.ts";
import type { Call, Session } from "./session.ts";
import type { StoredUser } from "./users.ts";

const failed = () => refused("AuthenticationFailed", "Authentication failed.");

/** Begins a log-in. An unknown account is refused here, a wrong password only at the end. */
export function saslStart(call: Call, start: Document, db: string): Document {
  const mechanism = call.server.enabled.find((known) => known === start["mechanism"]);
  if (mechanism === undefined) {
    throw refused(
      "MechanismUnavailable",
      `Received authentication for mechanism ${String(start["mechanism"])} which is not enabled`,
    );
  }
  const first = parseClientFirst(readPayload(start));
  const credential = call.server.users
    .find(first.user, db)
    ?.credentials.find((kept) => kept.mechanism === mechanism);
  if (credential === undefined) {
    call.server.logins.push({ user: first.user, db, accepted: false });
    throw failed();
  }
  const options = start["options"] as Document | undefined;
  const conversation = converse(first, credential);
  call.session.conversation = {
    id: 1,
    user: first.user,
    db,
    skipEmptyExchange: options?.["skipEmptyExchange"] === true,
    conversation,
    proven: false,
  };
  return { conversationId: 1, done: false, payload: binary(conversation.serverFirst) };
}

export function saslContinue(call: Call): Document {
  const { session, server, command } = call;
  const pending = session.conversation;
  if (pending === undefined || pending.id !== command["conversationId"]) {
    throw refused("ProtocolError", "No SASL session state found");
  }
  if (pending.proven) return finished(call, "");
  const { user, db } = pending;
  const proof = mayComeFrom(session, server.users.find(user, db))
    ? pending.conversation.finish(readPayload(command))
    : undefined;
  server.logins.push({ user, db, accepted: proof !== undefined });
  if (proof === undefined) {
    session.conversation = undefined;
    throw failed();
  }
  pending.proven = true;
  if (pending.skipEmptyExchange) return finished(call, proof);
  return { conversationId: 1, done: false, payload: binary(proof), ok: 1 };
}

/** An account whose restrictions are not met is refused in the same words as a wrong password. */
function mayComeFrom({ client, server }: Session, user: StoredUser | undefined): boolean {
  const restrictions = user?.restrictions ?? [];
  const fits = (ranges: readonly string[] | undefined, address: string) =>
    ranges?.some((range) => isWithin(range, address)) ?? true;
  return (
    restrictions.length === 0 ||
    restrictions.some(
      (one) => fits(one.clientSource, client.address) && fits(one.serverAddress, server.address),
    )
  );
}

function isWithin(range: string, address: string): boolean {
  const [base = "", bits] = range.split("/");
  const family = isIPv6(base) ? "ipv6" : "ipv4";
  const list = new BlockList();
  list.addSubnet(base, Number(bits ?? (family === "ipv6" ? 128 : 32)), family);
  return list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

function finished({ session }: Call, payload: string): Document {
  const pending = session.conversation;
  if (pending !== undefined) session.authenticated.set(pending.db, pending.user);
  session.conversation = undefined;
  return { conversationId: 1, done: true, payload: binary(payload), ok: 1 };
}

function readPayload(command: Document): string {
  const payload: unknown = command["payload"];
  if (!(payload instanceof Binary)) throw refused("TypeMismatch", "payload must be binary data");
  return Buffer.from(payload.value()).toString("utf8");
}

function binary(text: string): Binary {
  return new Binary(Buffer.from(text, "utf8"));
}
