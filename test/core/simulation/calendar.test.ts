import fc from "fast-check";
import ICAL from "ical.js";
import { describe, expect, it } from "vitest";
import type { Policy } from "../../../shared/core/policy/policy.ts";
import { renderCalendar } from "../../../shared/core/simulation/calendar-file.ts";
import type { SimulatedTarget } from "../../../shared/core/simulation/model.ts";
import { day } from "../../../shared/core/time.ts";
import { plan, target } from "./sample.ts";

const madeAt = "2026-02-28T10:11:12.345Z";

/** Parses a calendar with the parser of a calendar program, which refuses invalid calendars. */
function readEvents(text: string): Record<string, string>[] {
  const calendar = ICAL.Component.fromString(text);
  return calendar
    .getAllSubcomponents("vevent")
    .map((event) =>
      Object.fromEntries(
        event.getAllProperties().map((one) => [one.name, String(one.getFirstValue())]),
      ),
    );
}

describe("the calendar", () => {
  it("follows RFC 5545", () => {
    const text = renderCalendar(
      plan(target("orders", { every: 40 * day }, { server: "db1" })),
      madeAt,
    );
    expect(text.split("\r\n")).toStrictEqual([
      "BEGIN:VCALENDAR",
      "VERSION:2.0",
      "PRODID:-//Keyturn//Plan of rotations//EN",
      "CALSCALE:GREGORIAN",
      "METHOD:PUBLISH",
      "X-WR-CALNAME:Keyturn rotations",
      "BEGIN:VEVENT",
      expect.stringMatching(/^UID:[0-9a-f]{32}@keyturn$/),
      "DTSTAMP:20260228T101112Z",
      "DTSTART:20260410T000000Z",
      "DURATION:PT15M",
      "SUMMARY:Rotate orders",
      "DESCRIPTION:policy test: due 40d after 2026-03-01T00:00:00.000Z",
      "LOCATION:db1",
      "CATEGORIES:test",
      "TRANSP:TRANSPARENT",
      "END:VEVENT",
      "END:VCALENDAR",
      "",
    ]);
  });

  it("omits an unknown location", () => {
    const calendar = (more: Partial<SimulatedTarget>) =>
      renderCalendar(plan(target("orders", { every: 40 * day }, more)), madeAt);
    expect(calendar({})).toBe(calendar({ server: "db1" }).replace("LOCATION:db1\r\n", ""));
  });

  it("gives a rotation a unique UID that stays the same when it moves", () => {
    const uids = (fields: Partial<Policy>, id = "orders") =>
      readEvents(renderCalendar(plan(target(id, fields)), madeAt)).map((event) => event["uid"]);
    const [first] = uids({ every: 40 * day });
    expect(uids({ every: 40 * day, days: ["sat"] })[0]).toBe(first);
    expect(uids({ every: 40 * day }, "other")[0]).not.toBe(first);
    const many = uids({ every: 5 * day });
    expect(new Set(many).size).toBe(many.length);
    expect(many.length).toBe(12);
    const unknown = readEvents(
      renderCalendar(plan(target("orders", { every: 40 * day }, { facts: {} })), madeAt),
    );
    expect(unknown[0]?.["uid"]).not.toBe(first);
  });

  it("preserves any text, in lines of at most 75 octets", () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom("a", ",", ";", "\\", "é", "🔑", ":", "語", " "),
          maxLength: 120,
        }),
        (name) => {
          const text = renderCalendar(
            plan(target("orders", { name, every: 40 * day }, { server: name })),
            madeAt,
          );
          for (const line of text.split("\r\n")) {
            expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
            expect(line).not.toContain("\ufffd");
          }
          const [event] = readEvents(text);
          expect(event?.["categories"]).toBe(name);
          expect(event?.["location"]).toBe(name);
        },
      ),
    );
  });

  it("uses the full length of a line", () => {
    const text = renderCalendar(plan(target("x".repeat(200), { every: 40 * day })), madeAt);
    const summary = text.split("\r\n").findIndex((line) => line.startsWith("SUMMARY"));
    const lines = text.split("\r\n").slice(summary, summary + 3);
    expect(lines.map((line) => line.length)).toStrictEqual([75, 75, 67]);
    expect(lines.slice(1).every((line) => line.startsWith(" x"))).toBe(true);
  });

  it("escapes line ends and control characters of names", () => {
    const server = "a\r\nATTACH:evil\nb\rc\td\u0000e";
    const text = renderCalendar(plan(target("orders", { every: 40 * day }, { server })), madeAt);
    expect(text).toContain("LOCATION:a\\nATTACH:evil\\nb\\nc d e\r\n");
  });
});
