import { keyturn, type Notification } from "../../core/record/record.ts";
import type { Target } from "../../core/target.ts";
import type { Notifier } from "../../notifiers/notifier.ts";
import { requestRotation } from "../inbox/request-rotation.ts";
import type { TargetSession } from "../session.ts";

/**
 * Requests a rotation of every target that follows this one (`after`), once for each successful rotation. The outbox delivers a success at
 * least once, and the id of the notification makes the request take effect once. Empty when no target follows.
 */
export function listFollowing({ ports, target }: TargetSession): readonly Notifier[] {
  const followers = ports.followers(target.id);
  if (followers.length === 0) return [];
  return [
    {
      name: "targets that follow",
      async send(notifications) {
        const done = notifications.filter(({ type }) => type === "rotation.succeeded");
        for (const one of done) {
          for (const follower of followers) await requestAfter(ports, follower, one);
        }
      },
    },
  ];
}

function requestAfter(
  ports: TargetSession["ports"],
  follower: Target,
  { id, targetId, data }: Notification,
) {
  const reason = `target ${targetId} was rotated (rotation ${String(data["rotationId"])})`;
  return requestRotation(ports, follower, {
    reason: "linked",
    requestedBy: keyturn,
    justification: { reason },
    key: { id: `after ${id}`, request: id },
  });
}
