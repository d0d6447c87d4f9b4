import { type Document, Timestamp } from "mongodb";
import type { MongoServer } from "./session.ts";

/** Counts a change. The part of the answer that says that a majority does not have it: the change stays in effect. */
export function confirmByMajority({ writes }: MongoServer): Document {
  writes.last += 1;
  if (!writes.isLagging) writes.majority = writes.last;
  return writes.isLagging
    ? {
        writeConcernError: {
          code: 64,
          codeName: "WriteConcernTimeout",
          errmsg: "waiting for replication timed out",
          errInfo: { wtimeout: true, writeConcern: { w: "majority", wtimeout: 10_000 } },
        },
      }
    : {};
}

/** The part of a member's hello that shows how far the majority is. */
export function showWrites({ writes, presents }: MongoServer): Document {
  if (!("setName" in presents)) return {};
  const at = (counter: number) => ({ ts: new Timestamp({ t: 1_700_000_000, i: counter }), t: 1 });
  return { lastWrite: { opTime: at(writes.last), majorityOpTime: at(writes.majority) } };
}
