import type { EventGridEmulator } from "../../local/event-grid/emulator.ts";

/** What the app told its notifier, by the time of our own clock: the clocks of hosts are part of the soak. */
export interface News {
  /** How many rotations succeeded so far. */
  rotations(): number;
  /** How many different alarms were told from then on, about all targets or about one. Milliseconds since 1970. */
  alarms(since: number, targetId?: string): number;
}

interface Told {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly at: number;
}

/** Types of notification that a person on duty would look at. */
const alarming = [
  "Keyturn.Alarm",
  "Keyturn.Drift.Found",
  "Keyturn.Rotation.Blocked",
  "Keyturn.Rotation.Failed",
  "Keyturn.Rotation.Stalled",
];

export function readNews(topic: Pick<EventGridEmulator, "events">): News {
  const told = new Map<string, Told>();
  let last = 0;
  const read = (): Told[] => {
    for (const { sequence, receivedAt, event } of topic.events(last)) {
      last = sequence;
      const { id, subject = "" } = event;
      const type = "type" in event ? event.type : event.eventType;
      // Each is told at least once; repetitions have the same id.
      if (!told.has(id)) told.set(id, { id, type, subject, at: Date.parse(receivedAt) });
    }
    return [...told.values()];
  };
  return {
    rotations: () => read().filter(({ type }) => type === "Keyturn.Rotation.Succeeded").length,
    alarms: (since, targetId) =>
      read().filter(
        ({ type, subject, at }) =>
          alarming.includes(type) && at >= since && (targetId ?? subject) === subject,
      ).length,
  };
}
